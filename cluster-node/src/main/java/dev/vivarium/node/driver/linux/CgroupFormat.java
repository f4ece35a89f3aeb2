package dev.vivarium.node.driver.linux;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Parsers for the kernel's control group files. Pure functions. */
public final class CgroupFormat {
    private CgroupFormat() {}

    /**
     * One line of /proc/PID/cgroup.
     *
     * @param controllers empty for version 2
     * @param path the path within its hierarchy
     */
    record Membership(List<String> controllers, String path) {}

    /**
     * One mounted hierarchy.
     *
     * @param version2 or version 1
     * @param options controllers among them, for version 1
     */
    record Hierarchy(boolean version2, String mountPoint, List<String> options) {}

    /** The lines of /proc/PID/cgroup. */
    public static List<Membership> memberships(List<String> procCgroup) {
        List<Membership> result = new ArrayList<>();
        for (String line : procCgroup) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3) {
                List<String> controllers = parts[1].isEmpty() ? List.of() : Arrays.asList(parts[1].split(",", -1));
                result.add(new Membership(List.copyOf(controllers), parts[2]));
            }
        }
        return List.copyOf(result);
    }

    /** The control group file systems in /proc/mounts. */
    public static List<Hierarchy> hierarchies(List<String> procMounts) {
        List<Hierarchy> result = new ArrayList<>();
        for (String line : procMounts) {
            String[] parts = line.split(" ", -1);
            if (parts.length >= 4 && (parts[2].equals("cgroup") || parts[2].equals("cgroup2"))) {
                result.add(new Hierarchy(parts[2].equals("cgroup2"), parts[1], List.of(parts[3].split(",", -1))));
            }
        }
        return List.copyOf(result);
    }

    /** The mount points of hierarchies with controllers: those of version 1 if there are any, else that of version 2. */
    public static List<String> mountPoints(List<String> procMounts) {
        List<Hierarchy> all = hierarchies(procMounts);
        boolean version1 = all.stream().anyMatch(hierarchy -> !hierarchy.version2());
        return all.stream()
                .filter(hierarchy -> hierarchy.version2() != version1)
                .map(Hierarchy::mountPoint)
                .toList();
    }

    /** The directory of a process's group, for a controller of version 1. */
    public static Optional<String> directoryV1(
            List<Hierarchy> mounted, List<Membership> memberships, String controller) {
        Optional<String> mountPoint = mounted.stream()
                .filter(hierarchy ->
                        !hierarchy.version2() && hierarchy.options().contains(controller))
                .map(Hierarchy::mountPoint)
                .findFirst();
        Optional<String> path = memberships.stream()
                .filter(membership -> membership.controllers().contains(controller))
                .map(Membership::path)
                .findFirst();
        return mountPoint.flatMap(root -> path.filter(CgroupFormat::isVisible).map(root::concat));
    }

    /** The directory of a process's group, for version 2. */
    public static Optional<String> directoryV2(List<Hierarchy> mounted, List<Membership> memberships) {
        Optional<String> mountPoint = mounted.stream()
                .filter(Hierarchy::version2)
                .map(Hierarchy::mountPoint)
                .findFirst();
        Optional<String> path = memberships.stream()
                .filter(membership -> membership.controllers().isEmpty())
                .map(Membership::path)
                .findFirst();
        return mountPoint.flatMap(root -> path.filter(CgroupFormat::isVisible).map(root::concat));
    }

    /** A path that leads up is outside this process's control group namespace. */
    private static boolean isVisible(String path) {
        return path.startsWith("/") && !path.startsWith("/..");
    }

    /**
     * The number after a name in lines such as those of memory.stat and memory.events; zero when the name is missing.
     */
    static long keyed(String text, String name) {
        for (int at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
            int value = at + name.length();
            if ((at == 0 || text.charAt(at - 1) == '\n') && value < text.length() && text.charAt(value) == ' ') {
                int end = text.indexOf('\n', value);
                return number(text.substring(value, end < 0 ? text.length() : end));
            }
        }
        return 0;
    }

    /** A number; for the kernel's "max", the largest. */
    static long number(String text) {
        String trimmed = text.strip();
        try {
            return Long.parseLong(trimmed);
        } catch (NumberFormatException unlimited) {
            return Long.MAX_VALUE;
        }
    }
}
