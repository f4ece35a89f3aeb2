package dev.vivarium.protocol.run;

/**
 * What an attempt used, measured from outside the sandbox.
 *
 * @param wallMillis from the start of the agent's process to its end
 * @param cpuMillis processor time of all its processes
 * @param memoryPeakBytes the highest memory use, by the kernel's own mark, up to the limit; files in the workspace not
 *     counted, the kernel's cache of others is
 * @param diskPeakBytes the most that was stored in the workspace and /tmp
 * @param outputBytes bytes of stdout and stderr that were kept
 * @param filesPeak the most files and folders in the workspace and /tmp that were seen
 * @param pidsPeak the highest count of processes and threads: the kernel's, where it is above what making the sandbox took, or seen
 */
public record Usage(
        long wallMillis,
        long cpuMillis,
        long memoryPeakBytes,
        long diskPeakBytes,
        long filesPeak,
        long outputBytes,
        long pidsPeak) {
    public static final Usage NONE = new Usage(0, 0, 0, 0, 0, 0, 0);
}
