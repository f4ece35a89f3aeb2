package dev.vivarium.trials.outside;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The sandboxes of the driver oci as the machine knows them, without a node: links that name the attempt of each sandbox, and
 * the kernel's control groups, which list its processes. Shares no code with the driver.
 */
public final class OciRecords {
    private static final Path STATE = Path.of("/run/vivarium/sandboxes");
    private static final Path CONTROL_GROUPS = Path.of("/sys/fs/cgroup");
    private static final String CLAIMS = "claims";
    private static final String CLAIM_NOTE = "claim";
    private static final Pattern CLAIM = Pattern.compile("([0-9a-z]{26})-([0-9]{1,9})");
    private static final Pattern TARGET = Pattern.compile("\\.\\./([0-9a-f]{16})/([0-9a-z]{26})");
    private static final Pattern ID = Pattern.compile("[0-9a-z]{26}");
    private static final int MARK_BYTES = 8;

    private final Path state;
    private final Path groups;

    /**
     * An attempt's sandbox, whose link stands from before its first process until everything of it is removed.
     *
     * @param installation the mark of its installation
     * @param node the mark of its node
     * @param id its id
     * @param run its run
     * @param attempt its attempt
     */
    public record Claimed(String installation, String node, String id, String run, int attempt) {}

    /** Those of this machine. */
    public OciRecords() {
        this(STATE, CONTROL_GROUPS);
    }

    /** The mark that stands for an installation's name in paths. */
    public static String mark(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, MARK_BYTES);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java has SHA-256.", impossible);
        }
    }

    /**
     * Those below the given folders.
     *
     * @param state the folder of all installations' state
     * @param controlGroups where the control groups are mounted
     */
    public OciRecords(Path state, Path controlGroups) {
        this.state = state;
        boolean unified = Files.exists(controlGroups.resolve("cgroup.controllers"));
        this.groups = (unified ? controlGroups : controlGroups.resolve("pids")).resolve("vivarium");
    }

    /** The marks of all installations that this machine has had since its start. */
    public Set<String> installations() throws IOException {
        return entries(state).stream()
                .map(folder -> folder.getFileName().toString())
                .collect(Collectors.toSet());
    }

    /** All sandboxes of an installation's attempts. */
    public List<Claimed> claims(String installation) throws IOException {
        List<Claimed> claims = new ArrayList<>();
        for (Path link : entries(state.resolve(installation).resolve(CLAIMS))) {
            claim(installation, link).ifPresent(claims::add);
        }
        return claims;
    }

    private static Optional<Claimed> claim(String installation, Path link) throws IOException {
        try {
            Matcher name = CLAIM.matcher(link.getFileName().toString());
            Matcher target = TARGET.matcher(Files.readSymbolicLink(link).toString());
            return name.matches() && target.matches()
                    ? Optional.of(new Claimed(
                            installation,
                            target.group(1),
                            target.group(2),
                            name.group(1),
                            Integer.parseInt(name.group(2))))
                    : Optional.empty();
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    /** The sandbox of a run's latest attempt. */
    public Optional<Claimed> of(String run) throws IOException {
        List<Claimed> claims = new ArrayList<>();
        for (String installation : installations()) {
            claims.addAll(claims(installation));
        }
        return claims.stream().filter(claim -> claim.run().equals(run)).max(Comparator.comparing(Claimed::attempt));
    }

    /** The name of the sandbox's node; empty while the node writes it. */
    public Optional<String> node(Claimed claim) {
        try {
            String name = Files.readString(
                    state.resolve(claim.installation()).resolve(claim.node()).resolve("owner"));
            return name.isEmpty() ? Optional.empty() : Optional.of(name);
        } catch (IOException unnamed) {
            return Optional.empty();
        }
    }

    /** The live processes of the sandbox; the kernel does not list those that only wait to be reaped. */
    public List<Long> processes(Claimed claim) throws IOException {
        return processes(group(claim));
    }

    /** The live processes of all of an installation's sandboxes, with an attempt or without. */
    public List<Long> processes(String installation) throws IOException {
        return processes(installation, Set.of());
    }

    /** The same without those of some sandboxes. */
    List<Long> processes(String installation, Set<String> others) throws IOException {
        List<Long> all = new ArrayList<>();
        for (Path node : entries(groups.resolve(installation))) {
            for (Path entry : entries(node)) {
                if (isSandbox(entry) && !others.contains(entry.getFileName().toString())) {
                    all.addAll(processes(entry));
                }
            }
        }
        return all;
    }

    /** The ids of an installation's sandboxes that no attempt has had; those of attempts keep a note of it to their end. */
    public Set<String> waiting(String installation) throws IOException {
        Set<String> waiting = new HashSet<>();
        for (Path node : entries(state.resolve(installation))) {
            for (Path entry : entries(node)) {
                if (isSandbox(entry) && !node.endsWith(CLAIMS) && Files.notExists(entry.resolve(CLAIM_NOTE))) {
                    waiting.add(entry.getFileName().toString());
                }
            }
        }
        return waiting;
    }

    private static List<Long> processes(Path group) throws IOException {
        try {
            // Opened anew each time: version 1 of control groups serves a repeated read of one file from a cache.
            return Files.readAllLines(group.resolve("cgroup.procs")).stream()
                    .map(Long::valueOf)
                    .toList();
        } catch (NoSuchFileException gone) {
            return List.of();
        } catch (IOException unreadable) {
            // A group that is removed between open and read has its own error; one that exists may have processes.
            if (Files.exists(group)) {
                throw unreadable;
            }
            return List.of();
        }
    }

    /** The sandbox's own folder. */
    public Path folder(Claimed claim) {
        return state.resolve(claim.installation()).resolve(claim.node()).resolve(claim.id());
    }

    /** The sandbox's control group. */
    public Path group(Claimed claim) {
        return groups.resolve(claim.installation()).resolve(claim.node()).resolve(claim.id());
    }

    /** The ids of an installation's sandboxes of which a folder or a control group is left. */
    public Set<String> sandboxes(String installation) throws IOException {
        return remains(installation).stream()
                .map(Path::of)
                .filter(OciRecords::isSandbox)
                .map(entry -> entry.getFileName().toString())
                .collect(Collectors.toSet());
    }

    private static boolean isSandbox(Path entry) {
        return ID.matcher(entry.getFileName().toString()).matches();
    }

    /** What there is of an installation's sandboxes, with an attempt or without: links, folders and control groups. */
    public List<String> remains(String installation) throws IOException {
        List<String> remains = new ArrayList<>();
        for (Path root : List.of(state.resolve(installation), groups.resolve(installation))) {
            for (Path node : entries(root)) {
                for (Path entry : entries(node)) {
                    if (isSandbox(entry) || node.endsWith(CLAIMS)) {
                        remains.add(entry.toString());
                    }
                }
            }
        }
        return remains;
    }

    private static List<Path> entries(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            entries.forEach(found::add);
        } catch (NoSuchFileException | NotDirectoryException gone) {
            return List.of();
        } catch (DirectoryIteratorException broken) {
            if (broken.getCause() instanceof NoSuchFileException) {
                return found;
            }
            throw broken.getCause();
        }
        return found;
    }
}
