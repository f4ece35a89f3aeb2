package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control group of one sandbox, read from the kernel's files, which are kept open: a sample takes some 40 µs, where
 * the engine's statistics take up to a second.
 */
public sealed interface CgroupFiles extends Sampler {
    Logger LOG = LoggerFactory.getLogger(CgroupFiles.class);

    /**
     * Finds the group of a process of this machine.
     *
     * @param proc the proc file system
     * @param mark must be part of the group's path, so that a reused process id or another machine's process is not
     *     taken for the sandbox
     * @return empty when the group is not visible here
     */
    static Optional<CgroupFiles> of(Path proc, long pid, String mark) {
        return GroupsOfProcess.of(proc, pid, mark)
                .flatMap(groups -> version1(groups).or(() -> version2(groups)));
    }

    private static Optional<CgroupFiles> version1(GroupsOfProcess groups) {
        Optional<Path> memory =
                groups.version1("memory").filter(groups::isOfTheSandbox).filter(Files::isDirectory);
        Optional<Path> cpuacct = groups.version1("cpuacct");
        Optional<Path> pids = groups.version1("pids");
        return memory.isEmpty() || cpuacct.isEmpty() || pids.isEmpty()
                ? Optional.empty()
                : Optional.of(new Version1(memory.get(), cpuacct.get(), pids.get()));
    }

    private static Optional<CgroupFiles> version2(GroupsOfProcess groups) {
        return groups.version2()
                .filter(groups::isOfTheSandbox)
                .filter(directory -> Files.isReadable(directory.resolve("memory.current")))
                .map(Version2::new);
    }

    /**
     * Resets the kernel's peaks and counters where possible. Called before an agent runs, to exclude what creating the
     * sandbox used.
     *
     * @param memoryMaxBytes the memory limit of the sandbox's program
     */
    void begin(long memoryMaxBytes);

    /** Kernel memory currently charged to the group, in bytes, without socket queues. */
    long kernelBytes() throws IOException;

    /** What is in the queues of the group's sockets, in bytes. */
    long socketBytes() throws IOException;

    /**
     * A group's peak number of processes: the kernel's, once it exceeds that of the runtime which created the sandbox.
     */
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

    /** Version 1: one directory per controller. */
    final class Version1 implements CgroupFiles {
        private static final long NANOS_PER_MILLI = 1_000_000;
        private static final String SOCKETS_LIMIT = "memory.kmem.tcp.limit_in_bytes";
        private static final int GUEST_ALONE = 1;
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
        private KernelCaches caches = KernelCaches.unlimited();
        private long givenBackBytes;

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
         * Also makes the kernel count memory in the queues of sockets created from now on, and bound it like other
         * memory. In version 1 it does neither until a limit is set, and data that a sandbox sends to itself would not
         * be counted. Runtimes no longer set one (runc since 1.0). Without the right to do so, on a node that is not
         * root, sockets stay uncounted; see SECURITY.md.
         */
        @Override
        public synchronized void begin(long memoryMaxBytes) {
            caches = KernelCaches.of(memoryMaxBytes);
            pids.begin();
            write(PEAK, "0");
            try (KernelFile limit = new KernelFile(memory.resolve("memory.limit_in_bytes"))) {
                write(SOCKETS_LIMIT, limit.text());
            } catch (IOException unreadable) {
                LOG.debug("Memory of sockets is not counted in {}: {}", memory, unreadable.toString());
            }
        }

        @Override
        public long kernelBytes() throws IOException {
            return kernel.numberIfThere();
        }

        @Override
        public long socketBytes() throws IOException {
            return sockets.numberIfThere();
        }

        private void write(String file, String value) {
            try {
                Files.writeString(memory.resolve(file), value, StandardOpenOption.WRITE);
            } catch (IOException unsupported) {
                LOG.debug("{} of {} stays as it is: {}", file, memory, unsupported.toString());
            }
        }

        @Override
        public synchronized SandboxSample sample() throws IOException {
            String use = stat.text();
            long now = pids.now();
            long kernelNow = kernel.numberIfThere();
            long all = CgroupFormat.keyed(use, "rss") + CgroupFormat.keyed(use, "shmem") + kernelNow;
            if (caches.areToBeGivenBack(kernelNow, all, now <= GUEST_ALONE)) {
                use = giveBack(use, kernelNow);
                kernelNow = kernel.numberIfThere();
            }
            // Reclaimed and reclaimable memory was part of the peak, or was less at that time; so this is a lower
            // bound.
            long peakNow = peak.number() - Math.max(givenBackBytes, fileCache(use));
            return new SandboxSample(
                    processorTime.number() / NANOS_PER_MILLI,
                    CgroupFormat.keyed(use, "rss") + kernelNow + sockets.numberIfThere(),
                    Math.max(0, kernelNow - caches.pinnedBytes()),
                    CgroupFormat.keyed(use, "shmem"),
                    OptionalLong.empty(),
                    Math.max(0, peakNow),
                    now,
                    pids.peak(now),
                    outOfMemory.keyed("oom_kill"),
                    forks.keyed("max"),
                    SandboxSample.Files.IN_MEMORY,
                    0);
        }

        private static long fileCache(String use) {
            return CgroupFormat.keyed(use, "cache") - CgroupFormat.keyed(use, "shmem");
        }

        /** Has the kernel reclaim its caches; the program reads them again when needed. */
        private String giveBack(String before, long kernelBefore) throws IOException {
            write("memory.force_empty", "0");
            String after = stat.text();
            long kernelAfter = kernel.numberIfThere();
            long given = fileCache(before) - fileCache(after) + kernelBefore - kernelAfter;
            givenBackBytes = Math.max(givenBackBytes, given);
            caches = caches.afterwards(kernelAfter);
            return after;
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

        /** In version 2, kernels before 6.12 cannot reset the memory peak. */
        @Override
        public void begin(long memoryMaxBytes) {
            pids.begin();
        }

        @Override
        public SandboxSample sample() throws IOException {
            String use = stat.text();
            long now = pids.now();
            return new SandboxSample(
                    processorTime.keyed("usage_usec") / MICROS_PER_MILLI,
                    CgroupFormat.keyed(use, "anon") + kernelBytes(use) - CgroupFormat.keyed(use, "slab_reclaimable"),
                    CgroupFormat.keyed(use, "shmem"),
                    // There is no peak before Linux 5.19; the caller's highest sample is then the best available.
                    Math.max(current.number(), peak.numberIfThere()) - caches(use),
                    now,
                    pids.peak(now),
                    outOfMemory.keyed("oom_kill"),
                    forks.keyed("max"));
        }

        @Override
        public long kernelBytes() throws IOException {
            String use = stat.text();
            return kernelBytes(use) - CgroupFormat.keyed(use, "sock");
        }

        @Override
        public long socketBytes() throws IOException {
            return CgroupFormat.keyed(stat.text(), "sock");
        }

        /** Caches of files on disks, and of names and their attributes. */
        private static long caches(String use) {
            return CgroupFormat.keyed(use, "file")
                    - CgroupFormat.keyed(use, "shmem")
                    + CgroupFormat.keyed(use, "slab_reclaimable");
        }

        /** Their sum exists only since Linux 5.18, and excludes sockets. */
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
                LOG.debug("A control group file could not be closed: {}", closed.toString());
            }
        }
    }
}
