package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.run.Digest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The state of an installation's sandboxes on this machine, as files, which the kernel creates exclusively and which outlive
 * a node: a folder for each node with a folder for each sandbox, and the claims of attempts. Only the node with the lock of
 * its folder adds to it; any node of the installation may remove from it, since a run's next attempt may be elsewhere.
 */
final class StateFolder implements Closeable {
    private static final int MARK_BYTES = 8;
    /** The depth of files below the state folder: installation, node, sandbox, file. */
    private static final int IMAGE_DEPTH = 4;

    private static final String OWNER = "owner";
    private static final String CLAIMS = "claims";
    /** A sandbox's file with the name of its claim. */
    private static final String CLAIM = "claim";
    /** A sandbox's file with its image's id. */
    static final String IMAGE = "image";

    private final Path installation;
    private final Path own;
    private final FileChannel lock;

    /**
     * A sandbox's name, unique within its installation.
     *
     * @param mark the mark of its node, 16 hexadecimal digits
     * @param id its id
     */
    record Name(String mark, SandboxId id) {
        @Override
        public String toString() {
            return mark + "/" + id;
        }
    }

    private StateFolder(Path installation, Path own, FileChannel lock) {
        this.installation = installation;
        this.own = own;
        this.lock = lock;
    }

    /**
     * Opens this node's folder and takes its lock, which the kernel releases when the node's process ends.
     *
     * @throws IOException with a sentence, when a live node holds it or the folder is not usable
     */
    static StateFolder open(Path state, String installation, String node) throws IOException {
        Path ofInstallation = state.resolve(mark(installation));
        Path own = ofInstallation.resolve(mark(node));
        PrivateFolder.make(state);
        PrivateFolder.requireNotReplaceable(state);
        PrivateFolder.make(ofInstallation);
        PrivateFolder.make(ofInstallation.resolve(CLAIMS));
        PrivateFolder.make(own);
        FileChannel file = FileChannel.open(own.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (file.tryLock() != null) {
                Files.writeString(own.resolve(OWNER), node);
                return new StateFolder(ofInstallation, own, file);
            }
        } catch (OverlappingFileLockException ofThisProcess) {
            // The same answer for a node in this process.
        }
        file.close();
        throw new IOException("Another node of this name and installation runs on this machine.");
    }

    /** The mark that stands for a name in paths, for which some names would be too long. */
    static String mark(String name) {
        return HexFormat.of()
                .formatHex(Digest.newSha256().digest(name.getBytes(StandardCharsets.UTF_8)), 0, MARK_BYTES);
    }

    /** The installation's folder. */
    Path installation() {
        return installation;
    }

    /** This node's folder. */
    Path own() {
        return own;
    }

    /** The socket that channels connect to. */
    Path socket() {
        return own.resolve("channels");
    }

    Name name(SandboxId id) {
        return new Name(own.getFileName().toString(), id);
    }

    Path folder(Name name) {
        return installation.resolve(name.mark()).resolve(name.id().value());
    }

    /** Where the launcher alone sees the files that a sandbox of this node is shown. */
    Path shown(SandboxId id) {
        return own.resolve("own").resolve(id.value());
    }

    /** Creates the folder of a new sandbox of this node. */
    Path begin(SandboxId id) throws IOException {
        Path folder = own.resolve(id.value());
        Files.createDirectory(folder);
        Files.createDirectory(folder.resolve("root"));
        return folder;
    }

    // ---- claims

    /** Claims the attempt for a sandbox of this node; fails with ATTEMPT_CLAIMED when another has it. */
    void claim(SandboxId id, AttemptName attempt) throws IOException {
        String called = stem(attempt) + attempt.attempt();
        Path claim = claims().resolve(called);
        // First, so that every removal of the sandbox finds its claim.
        Files.writeString(folder(name(id)).resolve(CLAIM), called);
        try {
            Files.createSymbolicLink(claim, Path.of("..", own.getFileName().toString(), id.value()));
        } catch (FileAlreadyExistsException claimed) {
            if (!target(claim).equals(Optional.of(name(id)))) {
                throw new DriverException(
                        DriverException.Kind.ATTEMPT_CLAIMED,
                        "Attempt " + attempt.attempt() + " of run " + attempt.run() + " already has a sandbox.",
                        claimed);
            }
        }
    }

    private Path claims() {
        return installation.resolve(CLAIMS);
    }

    private static String stem(AttemptName attempt) {
        return attempt.run().value() + "-";
    }

    private static Optional<Name> target(Path claim) {
        try {
            Path target = Files.readSymbolicLink(claim);
            if (target.getNameCount() == 3
                    && SandboxId.isValid(target.getFileName().toString())) {
                return Optional.of(new Name(
                        target.getName(1).toString(),
                        new SandboxId(target.getFileName().toString())));
            }
        } catch (IOException gone) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    /** The sandboxes of earlier attempts of the attempt's run. */
    List<ListedSandbox> earlier(AttemptName attempt) throws IOException {
        List<ListedSandbox> found = new ArrayList<>();
        String stem = stem(attempt);
        try (DirectoryStream<Path> claims = Files.newDirectoryStream(
                claims(), claim -> claim.getFileName().toString().startsWith(stem))) {
            for (Path claim : claims) {
                long number = Long.parseLong(claim.getFileName().toString().substring(stem.length()));
                if (number < attempt.attempt()) {
                    target(claim).filter(name -> Files.exists(folder(name))).ifPresent(name -> found.add(listed(name)));
                }
            }
        } catch (DirectoryIteratorException broken) {
            throw broken.getCause();
        }
        return found;
    }

    // ---- listing

    /** All sandboxes that have a folder or a claim. */
    Set<Name> all() throws IOException {
        // A claim made while its sandbox was being removed would stay for ever, and its attempt have no sandbox any
        // more.
        Set<Name> names = new LinkedHashSet<>();
        for (Path claim : allClaims()) {
            target(claim).ifPresent(names::add);
        }
        try (Stream<Path> nodes = Files.list(installation)) {
            for (Path folder : nodes.filter(Files::isDirectory).toList()) {
                if (folder.endsWith(CLAIMS)) {
                    continue;
                }
                try (Stream<Path> sandboxes = Files.list(folder)) {
                    sandboxes
                            .map(sandbox -> sandbox.getFileName().toString())
                            .filter(SandboxId::isValid)
                            .forEach(id ->
                                    names.add(new Name(folder.getFileName().toString(), new SandboxId(id))));
                }
            }
        }
        return names;
    }

    /**
     * The images of all sandboxes of this machine, of any installation, as hexadecimal digits.
     *
     * @param state the folder of all installations' state
     */
    static Set<String> usedImages(Path state) throws IOException {
        Set<String> used = new HashSet<>();
        try (Stream<Path> files = Files.find(state, IMAGE_DEPTH, (file, is) -> file.endsWith(IMAGE))) {
            for (Path file : files.toList()) {
                used.add(imageIn(file));
            }
        }
        return used;
    }

    private static String imageIn(Path file) throws IOException {
        try {
            String id = Files.readString(file);
            return id.substring(id.indexOf(':') + 1);
        } catch (NoSuchFileException gone) {
            return "";
        }
    }

    ListedSandbox listed(Name name) {
        return new ListedSandbox(
                name.id(),
                name.mark().equals(own.getFileName().toString())
                        ? new ListedSandbox.ThisNode()
                        : new ListedSandbox.OtherNode(owner(name.mark())));
    }

    /** A node whose folder lacks its name is called by its mark, which is no member's name. */
    private String owner(String mark) {
        try {
            String owner = Files.readString(installation.resolve(mark).resolve(OWNER));
            return owner.isEmpty() ? mark : owner;
        } catch (IOException unnamed) {
            return mark;
        }
    }

    // ---- removal

    /** Removes all files of a sandbox whose processes are gone: its runtime's, its claim, and its folder last. */
    void remove(Name name) throws IOException {
        Path ofNode = installation.resolve(name.mark());
        try (Stream<Path> folders = Files.exists(ofNode) ? Files.list(ofNode) : Stream.empty()) {
            for (Path runtime : folders.filter(StateFolder::isRuntime).toList()) {
                removeRuntimeState(runtime, name.id());
            }
        }
        for (Path claim : claimsOf(name)) {
            if (target(claim).equals(Optional.of(name))) {
                Files.deleteIfExists(claim);
            }
        }
        PrivateFolder.removeTree(folder(name));
    }

    /** By its note where there is one, which spares a look at all claims. */
    private List<Path> claimsOf(Name name) throws IOException {
        Path note = folder(name).resolve(CLAIM);
        String called = Files.exists(note) ? Files.readString(note) : "";
        return called.isEmpty() ? allClaims() : List.of(claims().resolve(called));
    }

    private List<Path> allClaims() throws IOException {
        try (Stream<Path> all = Files.list(claims())) {
            return all.toList();
        }
    }

    private static boolean isRuntime(Path folder) {
        return folder.getFileName().toString().startsWith("runtime-");
    }

    /** The runtime's state: a folder for crun and runc, two files for runsc. */
    private static void removeRuntimeState(Path runtime, SandboxId id) throws IOException {
        PrivateFolder.removeTree(runtime.resolve(id.value()));
        for (String kind : new String[] {".state", ".lock"}) {
            Files.deleteIfExists(runtime.resolve(id + "_sandbox:" + id + kind));
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(socket());
        lock.close();
    }
}
