package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this machine's kernel says of its processors and memory, as far as a {@link VisibleMachine} is made from it. Read once:
 * processors that are switched on or off while a node runs are not followed.
 *
 * @param cpus its processors
 * @param processors a paragraph of /proc/cpuinfo for each of them, as lines
 * @param memory the lines of /proc/meminfo
 * @param bootTime the line of /proc/stat
 * @param files the paths that its sandboxes have of those that tell sizes
 */
public record HostMachine(
        int cpus, List<List<String>> processors, List<String> memory, String bootTime, Set<String> files) {
    static final String CPUINFO = "/proc/cpuinfo";
    static final String LOADAVG = "/proc/loadavg";
    static final String MEMINFO = "/proc/meminfo";
    static final String STAT = "/proc/stat";

    /**
     * Where C libraries look for the number of processors. "possible" and "present" are left alone: programs with a slot for
     * each processor index it by the number of the one that they run on.
     */
    static final String ONLINE = "/sys/devices/system/cpu/online";

    private static final List<String> LIMITS_OF_VERSION_1 =
            List.of("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
    private static final String LIMIT_OF_VERSION_2 = "/sys/fs/cgroup/memory.max";
    private static final String CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers";

    private static final String BOOT_TIME = "btime ";

    private static final Logger LOG = LoggerFactory.getLogger(HostMachine.class);

    public HostMachine {
        processors = processors.stream().map(List::copyOf).toList();
        memory = List.copyOf(memory);
        files = Set.copyOf(files);
    }

    /**
     * Reads the kernel's files.
     *
     * @param root the root of the file system
     */
    public static HostMachine read(Path root) {
        int cpus = count(String.join("", lines(root, ONLINE)).strip());
        List<List<String>> processors = paragraphs(lines(root, CPUINFO));
        List<String> memory = lines(root, MEMINFO);
        List<String> stat = lines(root, STAT);
        Set<String> files = new TreeSet<>();
        if (cpus > 0) {
            files.add(ONLINE);
            add(files, STAT, !stat.isEmpty());
            add(files, CPUINFO, !processors.isEmpty());
        } else {
            LOG.warn("The number of processors is not in {}, so sandboxes see all of this machine's.", ONLINE);
        }
        add(files, MEMINFO, !memory.isEmpty());
        add(files, LOADAVG, has(root, LOADAVG));
        LIMITS_OF_VERSION_1.forEach(path -> add(files, path, has(root, path)));
        // Each group has it, and the root of all groups has not.
        add(
                files,
                LIMIT_OF_VERSION_2,
                has(root, CONTROLLERS)
                        && List.of(String.join(" ", lines(root, CONTROLLERS)).split(" "))
                                .contains("memory"));
        String bootTime = stat.stream()
                .filter(line -> line.startsWith(BOOT_TIME))
                .findFirst()
                .orElse(BOOT_TIME + 0);
        return new HostMachine(cpus, processors, memory, bootTime, files);
    }

    private static void add(Set<String> files, String path, boolean isThere) {
        if (isThere) {
            files.add(path);
        }
    }

    private static boolean has(Path root, String path) {
        return Files.exists(root.resolve(path.substring(1)));
    }

    private static List<String> lines(Path root, String path) {
        try {
            return Files.readAllLines(root.resolve(path.substring(1)));
        } catch (IOException unreadable) {
            LOG.warn("{} cannot be read, so sandboxes see the kernel's: {}", path, unreadable.toString());
            return List.of();
        }
    }

    /** The number of processors in a list like 0-3,6; 0 if it is none. */
    private static int count(String list) {
        int sum = 0;
        try {
            for (String range : list.split(",", -1)) {
                String[] ends = range.split("-", -1);
                sum += Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1;
            }
        } catch (NumberFormatException noList) {
            return 0;
        }
        return sum;
    }

    private static List<List<String>> paragraphs(List<String> lines) {
        List<List<String>> all = new ArrayList<>();
        List<String> paragraph = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("processor")) {
                paragraph = new ArrayList<>();
                all.add(paragraph);
            }
            if (line.isBlank()) {
                // What follows is not of a processor unless it says so.
                paragraph = new ArrayList<>();
            }
            paragraph.add(line);
        }
        return all;
    }
}
