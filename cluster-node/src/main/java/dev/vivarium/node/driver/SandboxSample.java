package dev.vivarium.node.driver;

/**
 * What a sandbox uses, measured from outside.
 *
 * @param cpuMillis processor time since the sandbox was handed over; since it was begun, where that is not known
 * @param anonymousBytes memory now that is not backed by a file: heaps, stacks, kernel memory
 * @param sharedBytes shared memory now; the files of the workspace and /tmp are in it
 * @param peakBytes the highest memory use of all kinds so far
 * @param pids processes and threads now
 * @param pidsPeak the most of them at once so far, where the kernel tells; otherwise those now
 * @param outOfMemoryKills how often the kernel killed a process for memory
 * @param forksRefused how often the kernel refused a process for the pids limit
 */
public record SandboxSample(
        long cpuMillis,
        long anonymousBytes,
        long sharedBytes,
        long peakBytes,
        long pids,
        long pidsPeak,
        long outOfMemoryKills,
        long forksRefused) {
    /** The same, without processor time that had been used before. */
    public SandboxSample since(long earlierCpuMillis) {
        return new SandboxSample(
                cpuMillis - earlierCpuMillis,
                anonymousBytes,
                sharedBytes,
                peakBytes,
                pids,
                pidsPeak,
                outOfMemoryKills,
                forksRefused);
    }
}
