package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** All that an installation's sandboxes have on this machine, looked for without the driver. */
final class Leftovers {
    private final String mark;
    private final Path state;
    private final List<String> found = new ArrayList<>();

    private Leftovers(OciDriverConfig config) {
        this.mark = StateFolder.mark(config.engine().installation());
        this.state = config.state().resolve(mark);
    }

    /** Folders, claims and control groups of sandboxes. */
    static List<String> things(OciDriverConfig config) {
        Leftovers all = new Leftovers(config);
        all.lookForState();
        all.lookForGroups();
        return all.found;
    }

    /** The same, and processes and mounts: those of a driver that is open are among them. */
    static List<String> all(OciDriverConfig config) {
        Leftovers all = new Leftovers(config);
        all.lookForState();
        all.lookForGroups();
        all.lookForProcesses();
        return all.found;
    }

    private void lookForState() {
        for (Path folder : list(state)) {
            boolean claims = folder.endsWith("claims");
            for (Path file : list(folder)) {
                String name = file.getFileName().toString();
                if (claims || name.matches("[0-9a-z]{26}")) {
                    found.add(file.toString());
                } else if (name.startsWith("runtime-")) {
                    list(file).forEach(left -> found.add(left.toString()));
                }
            }
        }
    }

    private void lookForGroups() {
        for (Path hierarchy : list(Path.of("/sys/fs/cgroup"))) {
            for (Path node : list(hierarchy.resolve("vivarium").resolve(mark))) {
                list(node).stream()
                        .filter(sandbox -> Files.isDirectory(sandbox))
                        .forEach(sandbox -> found.add(sandbox.toString()));
            }
        }
    }

    private void lookForProcesses() {
        for (Path process : list(Path.of("/proc"))) {
            if (process.getFileName().toString().matches("[0-9]+")) {
                for (String file : List.of("cmdline", "cgroup", "mountinfo")) {
                    if (text(process.resolve(file)).contains(mark)) {
                        found.add(process + "/" + file + " "
                                + text(process.resolve("cmdline")).replace('\0', ' '));
                    }
                }
            }
        }
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException gone) {
            return "";
        }
    }

    private static List<Path> list(Path folder) {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
