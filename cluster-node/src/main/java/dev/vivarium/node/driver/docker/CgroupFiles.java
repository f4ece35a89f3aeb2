package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.SandboxSample;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control group of one sandbox, read from the kernel's files: some 100 µs a sample where the engine's own statistics
 * take up to a second.
 */
sealed interface CgroupFiles extends Sampler {
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
                || !memory.get().contains(mark)) {
            return Optional.empty();
        }
        Optional<Version1> found = Optional.of(
                        new Version1(Path.of(memory.get()), Path.of(cpuacct.get()), Path.of(pids.get())))
                .filter(group -> Files.isDirectory(group.memory()));
        found.ifPresent(Version1::countSockets);
        return found.map(CgroupFiles.class::cast);
    }

    private static Optional<CgroupFiles> version2(
            List<CgroupFormat.Hierarchy> mounted, List<CgroupFormat.Membership> memberships, String mark) {
        return CgroupFormat.directoryV2(mounted, memberships)
                .filter(directory -> directory.contains(mark))
                .map(Path::of)
                .filter(directory -> Files.isReadable(directory.resolve("memory.current")))
                .map(Version2::new);
    }

    /** Version 1: a directory for each controller. */
    record Version1(Path memory, Path cpuacct, Path pids) implements CgroupFiles {
        private static final long NANOS_PER_MILLI = 1_000_000;
        private static final String SOCKETS_LIMIT = "memory.kmem.tcp.limit_in_bytes";

        /**
         * Has the kernel count what lies in the queues of sockets that are made from now on, and bound it as the rest of
         * the memory is. In this version it does neither until it is given a limit, and what a sandbox sends to itself
         * would be nobody's. Runtimes do not give one any more (runc since 1.0). Without the right to do it, as a node
         * that is not root, sockets stay uncounted: SECURITY.md says so.
         */
        void countSockets() {
            try {
                Files.writeString(
                        memory.resolve(SOCKETS_LIMIT),
                        text(memory.resolve("memory.limit_in_bytes")),
                        StandardOpenOption.WRITE);
            } catch (IOException unsupported) {
                LOG.debug("Memory of sockets is not counted in {}: {}", memory, unsupported.toString());
            }
        }

        @Override
        public SandboxSample sample() throws IOException {
            Map<String, Long> stat = CgroupFormat.flatKeyed(text(memory.resolve("memory.stat")));
            long kernelBytes = optionalNumber(memory.resolve("memory.kmem.usage_in_bytes"))
                    + optionalNumber(memory.resolve("memory.kmem.tcp.usage_in_bytes"));
            return new SandboxSample(
                    requiredNumber(cpuacct.resolve("cpuacct.usage")) / NANOS_PER_MILLI,
                    stat.getOrDefault("rss", 0L) + kernelBytes,
                    stat.getOrDefault("shmem", 0L),
                    requiredNumber(memory.resolve("memory.max_usage_in_bytes")),
                    requiredNumber(pids.resolve("pids.current")),
                    keyed(memory.resolve("memory.oom_control"), "oom_kill"),
                    keyed(pids.resolve("pids.events"), "max"));
        }
    }

    /** Version 2: one directory. */
    record Version2(Path directory) implements CgroupFiles {
        private static final long MICROS_PER_MILLI = 1_000;
        private static final List<String> KERNEL_PARTS =
                List.of("kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock", "vmalloc", "slab");

        @Override
        public SandboxSample sample() throws IOException {
            Map<String, Long> stat = CgroupFormat.flatKeyed(text(directory.resolve("memory.stat")));
            long now = requiredNumber(directory.resolve("memory.current"));
            // Before Linux 5.19 there is no peak; the caller's highest sample is the best that can be had then.
            long peak = Math.max(now, optionalNumber(directory.resolve("memory.peak")));
            return new SandboxSample(
                    keyed(directory.resolve("cpu.stat"), "usage_usec") / MICROS_PER_MILLI,
                    stat.getOrDefault("anon", 0L) + kernelBytes(stat),
                    stat.getOrDefault("shmem", 0L),
                    peak,
                    requiredNumber(directory.resolve("pids.current")),
                    keyed(directory.resolve("memory.events"), "oom_kill"),
                    keyed(directory.resolve("pids.events"), "max"));
        }

        /** Their sum is told since Linux 5.18 only, and sockets are not in it. */
        private static long kernelBytes(Map<String, Long> stat) {
            Long sum = stat.get("kernel");
            return sum != null
                    ? sum + stat.getOrDefault("sock", 0L)
                    : KERNEL_PARTS.stream()
                            .mapToLong(part -> stat.getOrDefault(part, 0L))
                            .sum();
        }
    }

    private static long keyed(Path file, String key) throws IOException {
        return CgroupFormat.flatKeyed(text(file)).getOrDefault(key, 0L);
    }

    private static long requiredNumber(Path file) throws IOException {
        return CgroupFormat.number(text(file));
    }

    /** Zero where the kernel was built without the file. */
    private static long optionalNumber(Path file) throws IOException {
        try {
            return CgroupFormat.number(text(file));
        } catch (FileNotFoundException unsupported) {
            return 0;
        }
    }

    private static String text(Path file) throws IOException {
        // Half the cost of Files.readString for a file without a size, and this is read often.
        try (FileInputStream in = new FileInputStream(file.toFile())) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }
}
