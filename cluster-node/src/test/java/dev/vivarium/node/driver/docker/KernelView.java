package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * A process as the kernel sees it: its files in the host's /proc, as text that can be compared. Needs root on the
 * engine's machine.
 */
record KernelView(long pid) {
    private static final int OPEN_MODE_BITS = 3;
    private static final int LIMIT_NAME_WIDTH = 26;
    private static final int LIMIT_WIDTH = 21;

    /** The guest of a sandbox. */
    static KernelView ofGuest(String container) {
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")),
                "Only root can read all files of other processes in /proc.");
        return new KernelView(Docker.inspect(container).at("/State/Pid").asLong());
    }

    /** This test's process, as an example of a process of the host. */
    static KernelView ofHost() {
        return new KernelView(ProcessHandle.current().pid());
    }

    KernelView onlyChild() {
        List<String> children = words(text("task/" + pid + "/children"));
        assertThat(children).as("children of the guest").hasSize(1);
        return new KernelView(Long.parseLong(children.get(0)));
    }

    KernelView parent() {
        return new KernelView(Long.parseLong(status("PPid").get("PPid")));
    }

    boolean hasCapability(int number) {
        return (Long.parseLong(status("CapEff").get("CapEff"), 16) >> number & 1) == 1;
    }

    /** The lines of /proc/PID/status with these names, if the kernel has them. */
    SortedMap<String, String> status(String... names) {
        SortedMap<String, String> all = new TreeMap<>();
        for (String line : lines("status")) {
            String[] parts = line.split(":", 2);
            all.put(parts[0], String.join(" ", words(parts[1])));
        }
        all.keySet().retainAll(List.of(names));
        return all;
    }

    /** Each rlimit as "soft hard". */
    SortedMap<String, String> limits() {
        SortedMap<String, String> limits = new TreeMap<>();
        for (String line : lines("limits").subList(1, lines("limits").size())) {
            limits.put(
                    line.substring("Max ".length(), LIMIT_NAME_WIDTH).strip(),
                    line.substring(LIMIT_NAME_WIDTH, LIMIT_NAME_WIDTH + LIMIT_WIDTH)
                                    .strip() + " "
                            + line.substring(LIMIT_NAME_WIDTH + LIMIT_WIDTH, LIMIT_NAME_WIDTH + 2 * LIMIT_WIDTH)
                                    .strip());
        }
        return limits;
    }

    SortedMap<String, String> namespaces() {
        SortedMap<String, String> namespaces = new TreeMap<>();
        for (Path namespace : list("ns")) {
            namespaces.put(namespace.getFileName().toString(), link("ns/" + namespace.getFileName()));
        }
        return namespaces;
    }

    List<MountLine> mounts() {
        return lines("mountinfo").stream().map(MountLine::parse).toList();
    }

    /** Each open file: what it is, and whether it can be read and written. */
    SortedMap<Integer, String> descriptors() {
        SortedMap<Integer, String> descriptors = new TreeMap<>();
        for (Path descriptor : list("fd")) {
            String number = descriptor.getFileName().toString();
            String what = link("fd/" + number).replaceFirst("^pipe:\\[\\d+]$", "pipe");
            descriptors.put(Integer.valueOf(number), what + " " + openMode(number));
        }
        return descriptors;
    }

    private String openMode(String descriptor) {
        String flags = lines("fdinfo/" + descriptor).stream()
                .filter(line -> line.startsWith("flags:"))
                .findFirst()
                .orElseThrow()
                .substring("flags:".length())
                .strip();
        return List.of("r", "w", "rw").get(Integer.parseInt(flags, 8) & OPEN_MODE_BITS);
    }

    /** Scheduling, as in /proc/PID/stat: policy, real-time priority and niceness. */
    String scheduling() {
        String stat = text("stat");
        // The name may contain anything, so parsing starts at the third field, behind its closing parenthesis.
        List<String> fields = words(stat.substring(stat.lastIndexOf(')') + 1));
        return "policy " + fields.get(41 - 3) + ", real-time priority " + fields.get(40 - 3) + ", nice "
                + fields.get(19 - 3);
    }

    /** Strings terminated by NUL, such as the environment and the arguments. */
    List<String> strings(String file) {
        String all = text(file);
        return all.isEmpty() ? List.of() : List.of(all.split("\0"));
    }

    String link(String file) {
        try {
            return Files.readSymbolicLink(path(file)).toString();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The entries of a directory in the process's root, as mode, owner, device and name. */
    List<String> directory(String directory) {
        List<String> found = new ArrayList<>();
        for (Path entry : list("root" + directory)) {
            try {
                Map<String, Object> is =
                        Files.readAttributes(entry, "unix:mode,uid,gid,rdev", LinkOption.NOFOLLOW_LINKS);
                long device = ((Number) is.get("rdev")).longValue();
                String to = Files.isSymbolicLink(entry) ? " -> " + Files.readSymbolicLink(entry) : "";
                found.add(Integer.toOctalString(((Number) is.get("mode")).intValue()) + " " + is.get("uid") + ":"
                        + is.get("gid") + " " + (device >> 8) + ":" + (device & 0xff) + " " + entry.getFileName()
                        + to);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
        return found;
    }

    List<String> lines(String file) {
        return text(file).lines().toList();
    }

    String text(String file) {
        try {
            return new String(Files.readAllBytes(path(file)), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private List<Path> list(String directory) {
        try (Stream<Path> entries = Files.list(path(directory))) {
            return entries.sorted().toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private Path path(String file) {
        return Path.of("/proc", Long.toString(pid), file);
    }

    private static List<String> words(String line) {
        return Stream.of(line.strip().split("\\s+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /** A line of /proc/PID/mountinfo. */
    record MountLine(
            String root,
            String at,
            String options,
            String propagation,
            String type,
            String source,
            String superOptions) {
        static MountLine parse(String line) {
            List<String> fields = words(line);
            int dash = fields.indexOf("-");
            return new MountLine(
                    fields.get(3),
                    fields.get(4),
                    fields.get(5),
                    String.join(" ", fields.subList(6, dash)),
                    fields.get(dash + 1),
                    fields.get(dash + 2),
                    fields.get(dash + 3));
        }

        boolean sharesWithOthers() {
            return propagation.contains("shared:");
        }
    }
}
