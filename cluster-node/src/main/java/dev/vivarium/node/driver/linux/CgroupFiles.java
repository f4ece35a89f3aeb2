package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control group of one sandbox, read from the kernel's files, which are kept open: some 40 µs a sample where the
 * engine's own statistics take up to a second.
 */
public sealed interface CgroupFiles extends Sampler {
    Logger LOG = LoggerFactory.getLogger(CgroupFiles.class);

    /**
     * Finds the group of a process of this machine.
     *
     * @param proc where the proc file system is
     * @param mark what the group's path must contain, so that a reused process id or a process of another machine is not
     *     taken for the sandbox
     * @return empty when it cannot be seen from here
     */
    static Optional<CgroupFiles> of(Path proc, long pid, String mark) {
        try {
            List<CgroupFormat.Membership> memberships =
                    CgroupFormat.memberships(Files.readAllLines(proc.resolve(pid + "/cgroup")));
            List<CgroupFormat.Hierarchy> mounted = CgroupFormat.hierarchies(Files.readAllLines(proc.resolve("mounts")));
            return version1(mounted, memberships, mark).or(() -> version2(mounted, memberships, mark));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    private static Optional<CgroupFiles> version1(
            List<CgroupFormat.Hierarchy> mounted, List<CgroupFormat.Membership> memberships, String mark) {
        Optional<String> memory = CgroupFormat.directoryV1(mounted, memberships, "memory");
        Optional<String> cpuacct = CgroupFormat.directoryV1(mounted, memberships, "cpuacct");
        Optional<String> pids = CgroupFormat.directoryV1(mounted, memberships, "pids");
        if (memory.isEmpty()
                || cpuacct.isEmpty()
                || pids.isEmpty()
                || !memory.get().contains(mark)
                || !Files.isDirectory(Path.of(memory.get()))) {
            return Optional.empty();
        }
        return Optional.of(new Version1(Path.of(memory.get()), Path.of(cpuacct.get()), Path.of(pids.get())));
    }

    private static Optional<CgroupFiles> version2(
            List<CgroupFormat.Hierarchy> mounted, List<CgroupFormat.Membership> memberships, String mark) {
        return CgroupFormat.directoryV2(mounted, memberships)
                .filter(directory -> directory.contains(mark))
                .map(Path::of)
                .filter(directory -> Files.isReadable(directory.resolve("memory.current")))
                .map(Version2::new);
    }

    /**
     * Has the kernel count from here on, as far as it does. Before an agent runs: what was used to make the sandbox is not
     * the agent's.
     */
    void begin();

    /** Processes of a group: the kernel's highest count, once it is above that of the runtime which made the sandbox. */
    final class Pids {
        private final KernelFile current;
        private final KernelFile peak;
        private volatile long peakBefore = Long.MAX_VALUE;

        Pids(Path directory) {
            this.current = new KernelFile(directory.resolve("pids.current"));
            this.peak = new KernelFile(directory.resolve("pids.peak"));
        }

        void begin() {
            try {
                peakBefore = peak.numberIfThere();
            } catch (IOException gone) {
                LOG.debug("The count of processes cannot be read: {}", gone.toString());
            }
        }

        long now() throws IOException {
            return current.number();
        }

        long peak(long now) throws IOException {
            long highest = peak.numberIfThere();
            return highest > peakBefore ? highest : now;
        }

        List<KernelFile> files() {
            return List.of(current, peak);
        }
    }

    /** Version 1: a directory for each controller. */
    final class Version1 implements CgroupFiles {
        private static final long NANOS_PER_MILLI = 1_000_000;
        private static final String SOCKETS_LIMIT = "memory.kmem.tcp.limit_in_bytes";
        private static final String PEAK = "memory.max_usage_in_bytes";

        private final Path memory;
        private final KernelFile stat;
        private final KernelFile kernel;
        private final KernelFile sockets;
        private final KernelFile peak;
        private final KernelFile outOfMemory;
        private final KernelFile processorTime;
        private final KernelFile forks;
        private final Pids pids;

        Version1(Path memory, Path cpuacct, Path pids) {
            this.memory = memory;
            this.stat = KernelFile.ofStatistics(memory.resolve("memory.stat"));
            this.kernel = new KernelFile(memory.resolve("memory.kmem.usage_in_bytes"));
            this.sockets = new KernelFile(memory.resolve("memory.kmem.tcp.usage_in_bytes"));
            this.peak = new KernelFile(memory.resolve(PEAK));
            this.outOfMemory = new KernelFile(memory.resolve("memory.oom_control"));
            this.processorTime = new KernelFile(cpuacct.resolve("cpuacct.usage"));
            this.forks = new KernelFile(pids.resolve("pids.events"));
            this.pids = new Pids(pids);
        }

        /**
         * Also has the kernel count what lies in the queues of sockets that are made from now on, and bound it as the rest
         * of the memory is. In this version it does neither until it is given a limit, and what a sandbox sends to itself
         * would be nobody's. Runtimes do not give one any more (runc since 1.0). Without the right to do it, as a node
         * that is not root, sockets stay uncounted: SECURITY.md says so.
         */
        @Override
        public void begin() {
            pids.begin();
            write(PEAK, "0");
            try (KernelFile limit = new KernelFile(memory.resolve("memory.limit_in_bytes"))) {
                write(SOCKETS_LIMIT, limit.text());
            } catch (IOException unreadable) {
                LOG.debug("Memory of sockets is not counted in {}: {}", memory, unreadable.toString());
            }
        }

        private void write(String file, String value) {
            try {
                Files.writeString(memory.resolve(file), value, StandardOpenOption.WRITE);
            } catch (IOException unsupported) {
                LOG.debug("{} of {} stays as it is: {}", file, memory, unsupported.toString());
            }
        }

        @Override
        public SandboxSample sample() throws IOException {
            String use = stat.text();
            long now = pids.now();
            return new SandboxSample(
                    processorTime.number() / NANOS_PER_MILLI,
                    CgroupFormat.keyed(use, "rss") + kernel.numberIfThere() + sockets.numberIfThere(),
                    CgroupFormat.keyed(use, "shmem"),
                    peak.number(),
                    now,
                    pids.peak(now),
                    outOfMemory.keyed("oom_kill"),
                    forks.keyed("max"));
        }

        @Override
        public void close() {
            closeAll(List.of(stat, kernel, sockets, peak, outOfMemory, processorTime, forks));
            closeAll(pids.files());
        }
    }

    /** Version 2: one directory. */
    final class Version2 implements CgroupFiles {
        private static final long MICROS_PER_MILLI = 1_000;
        private static final List<String> KERNEL_PARTS =
                List.of("kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock", "vmalloc", "slab");

        private final KernelFile stat;
        private final KernelFile current;
        private final KernelFile peak;
        private final KernelFile outOfMemory;
        private final KernelFile processorTime;
        private final KernelFile forks;
        private final Pids pids;

        Version2(Path directory) {
            this.stat = KernelFile.ofStatistics(directory.resolve("memory.stat"));
            this.current = new KernelFile(directory.resolve("memory.current"));
            this.peak = new KernelFile(directory.resolve("memory.peak"));
            this.outOfMemory = new KernelFile(directory.resolve("memory.events"));
            this.processorTime = new KernelFile(directory.resolve("cpu.stat"));
            this.forks = new KernelFile(directory.resolve("pids.events"));
            this.pids = new Pids(directory);
        }

        /** In this version the peak of memory cannot be forgotten, by kernels before 6.12. */
        @Override
        public void begin() {
            pids.begin();
        }

        @Override
        public SandboxSample sample() throws IOException {
            String use = stat.text();
            long now = pids.now();
            return new SandboxSample(
                    processorTime.keyed("usage_usec") / MICROS_PER_MILLI,
                    CgroupFormat.keyed(use, "anon") + kernelBytes(use),
                    CgroupFormat.keyed(use, "shmem"),
                    // Before Linux 5.19 there is no peak; the caller's highest sample is the best that can be had then.
                    Math.max(current.number(), peak.numberIfThere()),
                    now,
                    pids.peak(now),
                    outOfMemory.keyed("oom_kill"),
                    forks.keyed("max"));
        }

        /** Their sum is told since Linux 5.18 only, and sockets are not in it. */
        private static long kernelBytes(String use) {
            long sum = CgroupFormat.keyed(use, "kernel");
            return sum > 0
                    ? sum + CgroupFormat.keyed(use, "sock")
                    : KERNEL_PARTS.stream()
                            .mapToLong(part -> CgroupFormat.keyed(use, part))
                            .sum();
        }

        @Override
        public void close() {
            closeAll(List.of(stat, current, peak, outOfMemory, processorTime, forks));
            closeAll(pids.files());
        }
    }

    private static void closeAll(List<KernelFile> files) {
        for (KernelFile file : files) {
            try {
                file.close();
            } catch (IOException closed) {
                LOG.debug("A file of a control group was not closed: {}", closed.toString());
            }
        }
    }
}
