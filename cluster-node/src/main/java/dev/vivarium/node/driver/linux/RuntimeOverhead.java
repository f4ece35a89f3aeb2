package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;

/**
 * What a sandbox with a kernel of its own takes of the host for that kernel, beside what its agent uses. The host's
 * control group counts both together, so its limits have room for the upkeep, and samples are told without it. What goes
 * beyond the upkeep is the agent's doing, and counts as the agent's.
 *
 * <p>The figures are gVisor's (release 20221219, platform ptrace): with 0, 20, 50 and 100 processes of Python its kernel
 * took 13, 20, 30 and 40 MiB and 43, 148, 313 and 438 threads and traced stubs of the host, on two processors.
 *
 * @param memoryBytes memory of the sandbox's kernel
 * @param pids threads and processes of the host that it runs as, those that stand for the agent's among them
 */
public record RuntimeOverhead(long memoryBytes, long pids) {
    /** That of a sandbox on the host's kernel. */
    public static final RuntimeOverhead NONE = new RuntimeOverhead(0, 0);
    /** The guest has one thread. */
    public static final long GUEST_PIDS = 1;

    private static final long MEMORY_BYTES = 48L << 20;
    private static final long MEMORY_BYTES_PER_PID = 320L << 10;
    private static final long PIDS = 64;
    /** Its runtime has threads for each processor. */
    private static final long PIDS_PER_CPU = 8;

    private static final long PIDS_PER_PID = 8;

    /** That of a sandbox on a machine with so many processors. */
    public static RuntimeOverhead of(SandboxTemplate template, int cpus) {
        return template.isolation().hasOwnKernel()
                ? new RuntimeOverhead(
                        MEMORY_BYTES + MEMORY_BYTES_PER_PID * template.pids(),
                        PIDS + PIDS_PER_CPU * cpus + PIDS_PER_PID * template.pids())
                : NONE;
    }

    /**
     * The agent's part. Such a kernel keeps the memory of processes and the files of tmpfs in one shared file, and its own
     * in its heap. How many processes there are, only the guest can tell.
     */
    public SandboxSample without(SandboxSample all) {
        return pids == 0
                ? all
                : new SandboxSample(
                        all.cpuMillis(),
                        Math.max(0, all.anonymousBytes() - memoryBytes),
                        all.sharedBytes(),
                        Math.max(0, all.peakBytes() - memoryBytes),
                        GUEST_PIDS,
                        GUEST_PIDS,
                        all.outOfMemoryKills(),
                        all.forksRefused());
    }
}
