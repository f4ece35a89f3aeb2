package dev.vivarium.trials.outside;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * An installation's sandboxes of the driver {@code oci} on this machine, which no engine knows of: by the control groups of
 * the kernel and the folders of the runtimes' state, and never by the node.
 */
public final class MachineSandboxes {
    private static final int MARK_BYTES = 8;
    private static final int ID_LENGTH = 26;

    private final Path state;
    private final Path groups;

    /**
     * An attempt that has claimed a sandbox.
     *
     * @param run the run's id
     * @param attempt its number
     * @param processes the processes in the sandbox's control group, as the machine numbers them
     */
    public record Attempt(String run, int attempt, List<Long> processes) {
        public Attempt {
            processes = List.copyOf(processes);
        }
    }

    /** The sandboxes of an installation by its name. */
    public MachineSandboxes(String installation) {
        this(Path.of("/run/vivarium/sandboxes"), Path.of("/sys/fs/cgroup"), installation);
    }

    MachineSandboxes(Path state, Path hierarchies, String installation) {
        String mark = mark(installation);
        // Version 1 has a hierarchy for each controller; every sandbox is in that of processes.
        Path pids = hierarchies.resolve("pids");
        this.state = state.resolve(mark);
        this.groups = (Files.isDirectory(pids) ? pids : hierarchies)
                .resolve("vivarium")
                .resolve(mark);
    }

    private static String mark(String installation) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(installation.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, MARK_BYTES);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }

    /** The ids of the sandboxes of which anything is left, be it a folder or an empty control group. */
    public Set<String> left() throws IOException {
        Set<String> ids = new TreeSet<>();
        for (Path place : List.of(state, groups)) {
            for (Path node : entries(place)) {
                entries(node).stream()
                        .map(entry -> entry.getFileName().toString())
                        .filter(name -> name.length() == ID_LENGTH)
                        .forEach(ids::add);
            }
        }
        return ids;
    }

    /** All processes of the installation's sandboxes. */
    public List<Long> processes() throws IOException {
        List<Long> all = new ArrayList<>();
        for (Path node : entries(groups)) {
            for (Path sandbox : entries(node)) {
                all.addAll(processesOf(sandbox));
            }
        }
        return all;
    }

    /** The attempts with a sandbox, dead or alive. */
    public List<Attempt> attempts() throws IOException {
        List<Attempt> attempts = new ArrayList<>();
        for (Path claim : entries(state.resolve("claims"))) {
            String name = claim.getFileName().toString();
            Path sandbox;
            try {
                sandbox = Files.readSymbolicLink(claim);
            } catch (IOException removed) {
                continue;
            }
            attempts.add(new Attempt(
                    name.substring(0, ID_LENGTH),
                    Integer.parseInt(name.substring(ID_LENGTH + 1)),
                    processesOf(groups.resolve(sandbox.subpath(1, 3)))));
        }
        return attempts;
    }

    private static List<Long> processesOf(Path group) throws IOException {
        try {
            return Files.readAllLines(group.resolve("cgroup.procs")).stream()
                    .map(Long::valueOf)
                    .toList();
        } catch (NoSuchFileException gone) {
            return List.of();
        } catch (IOException removedWhileRead) {
            // The kernel says ENODEV for a group that is removed between open and read.
            if (Files.exists(group)) {
                throw removedWhileRead;
            }
            return List.of();
        }
    }

    /** The folders in a folder, and the links. */
    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.isDirectory(entry) || Files.isSymbolicLink(entry))
                    .toList();
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        } catch (UncheckedIOException changing) {
            throw changing.getCause();
        }
    }
}
