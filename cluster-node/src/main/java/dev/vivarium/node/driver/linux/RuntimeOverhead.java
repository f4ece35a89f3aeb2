package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Limit;

/**
 * The host resources that a sandbox's own kernel takes, besides what its agent uses. The host's control group counts
 * both, so its limits include the overhead, and samples exclude it. Use beyond the overhead is caused by the agent and
 * counted as the agent's.
 *
 * <p>The figures are gVisor's (release 20221219, platform ptrace): with 0, 20, 50 and 100 processes of Python its
 * kernel took 13, 20, 30 and 40 MiB and 43, 148, 313 and 438 threads and traced stubs of the host, on two processors.
 *
 * @param memoryBytes memory of the sandbox's kernel
 * @param pids threads and processes of the host that it runs as, including those that represent the agent's
 */
public record RuntimeOverhead(long memoryBytes, long pids) {
    /** The overhead of a sandbox on the host's kernel. */
    public static final RuntimeOverhead NONE = new RuntimeOverhead(0, 0);
    /** The guest has one thread. */
    public static final long GUEST_PIDS = 1;

    private static final long MEMORY_BYTES = 48L << 20;
    private static final long MEMORY_BYTES_PER_PID = 320L << 10;
    private static final long PIDS = 64;
    /** Its runtime has threads for each processor. */
    private static final long PIDS_PER_CPU = 8;

    private static final long PIDS_PER_PID = 8;

    /** The overhead of a sandbox on a machine with that many processors. */
    public static RuntimeOverhead of(SandboxTemplate template, int cpus) {
        long most = template.limits().get(Limit.PIDS);
        return template.isolation().hasOwnKernel()
                ? new RuntimeOverhead(
                        MEMORY_BYTES + MEMORY_BYTES_PER_PID * most, PIDS + PIDS_PER_CPU * cpus + PIDS_PER_PID * most)
                : NONE;
    }

    /**
     * The agent's part of a sample. Such a kernel keeps processes' memory and tmpfs files in one shared file, and its
     * own memory in its heap. Only the guest knows the number of processes.
     */
    public SandboxSample without(SandboxSample all) {
        return pids == 0
                ? all
                : new SandboxSample(
                        all.cpuMillis(),
                        Math.max(0, all.anonymousBytes() - memoryBytes),
                        all.unclearBytes(),
                        all.sharedBytes(),
                        all.storedBytes(),
                        Math.max(0, all.peakBytes() - memoryBytes),
                        GUEST_PIDS,
                        GUEST_PIDS,
                        all.outOfMemoryKills(),
                        all.forksRefused(),
                        all.files(),
                        all.writtenBytes());
    }
}
