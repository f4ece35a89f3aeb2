package dev.vivarium.protocol.run;

/**
 * What an attempt used, measured from outside the sandbox.
 *
 * @param wallMillis from the start of the agent's process to its end
 * @param cpuMillis processor time of all its processes
 * @param memoryPeakBytes the highest memory use seen, files in the workspace not counted
 * @param diskPeakBytes the most that was stored in the workspace and /tmp
 * @param outputBytes bytes of stdout and stderr that were kept
 * @param pidsPeak the highest count of processes and threads seen
 */
public record Usage(
        long wallMillis, long cpuMillis, long memoryPeakBytes, long diskPeakBytes, long outputBytes, long pidsPeak) {
    public static final Usage NONE = new Usage(0, 0, 0, 0, 0, 0);
}
