package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.MountType;
import com.github.dockerjava.api.model.VolumeOptions;
import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.guest.GuestProgram;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest program on the engine: a named volume for each version of the program, mounted read-only into every
 * sandbox. Unlike a bind mount, this works with an engine on another host.
 *
 * <p>The volume's content is trusted only after reading it back. Filling it writes a complete file and links it into
 * place, so that no sandbox ever starts an incomplete program; several nodes may do so concurrently.
 */
final class GuestVolume {
    /** The volume's mount point in a sandbox. */
    static final String MOUNT_POINT = "/.vivarium";

    static final String PROGRAM_PATH = MOUNT_POINT + "/" + GuestProgram.NAME;

    private static final Logger LOG = LoggerFactory.getLogger(GuestVolume.class);
    private static final int NAME_DIGITS = 16;
    private static final int PROGRAM_MODE = 0555;
    /**
     * Only the guest's own user may enter. All sandboxes of an engine share these files, so a process that could open
     * them would notice the start of every other sandbox (inotify), and could communicate with it (flock).
     */
    private static final int FOLDER_MODE = 0700;

    private final Engine engine;
    private final GuestProgram program;
    private final Labels labels;
    /** Containers created only to access the volume; they are labelled as sandboxes, so that a reaper finds them. */
    private final Set<SandboxId> carriers = ConcurrentHashMap.newKeySet();

    private boolean trusted;
    private Optional<Path> folderHere = Optional.empty();

    GuestVolume(Engine engine, GuestProgram program, Labels labels) {
        this.engine = engine;
        this.program = program;
        this.labels = labels;
    }

    Mount readOnlyMount() {
        return mount().withReadOnly(true);
    }

    boolean isCarrier(SandboxId id) {
        return carriers.contains(id);
    }

    /**
     * Ensures that the engine has the program; checks once, until {@link #distrust}. Concurrent callers wait.
     *
     * @param imageId any image that the engine has, for a container that is never started
     */
    synchronized void ensure(String imageId) {
        if (trusted) {
            return;
        }
        String architecture = engine.facts().architecture();
        if (!program.runsOn(architecture)) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "The container engine's machine is " + architecture
                            + ", and this node's guest program was built for another. Build Vivarium there.");
        }
        withCarrier(imageId, this::verifyOrFill);
        folderHere = findFolder();
        trusted = true;
    }

    /** Call when a sandbox did not find its program: the engine may have been pruned or replaced. */
    synchronized void distrust() {
        trusted = false;
    }

    /** The volume's folder, where the engine's files are this machine's and this node may write to them. */
    synchronized Optional<Path> folderHere() {
        return trusted ? folderHere : Optional.empty();
    }

    private Optional<Path> findFolder() {
        if (!engine.address().isLocal()) {
            return Optional.empty();
        }
        String mountpoint = engine.call(
                "looking at the guest program's volume",
                client -> client.inspectVolumeCmd(name()).exec().getMountpoint());
        Path folder = Path.of(mountpoint);
        Path here = folder.resolve(GuestProgram.NAME);
        try {
            return Files.isWritable(folder) && Files.size(here) == program.length()
                    ? Optional.of(folder)
                    : Optional.empty();
        } catch (IOException notHere) {
            return Optional.empty();
        }
    }

    /**
     * Reads files of an image, at most one byte more than the limit. A missing file has no bytes; anything but a file is empty.
     *
     * @param imageId an image that the engine has
     */
    List<Optional<byte[]>> filesOf(String imageId, List<String> paths, int bytesMax) {
        List<Optional<byte[]>> files = new ArrayList<>();
        withCarrier(imageId, container -> paths.forEach(path -> files.add(fileOf(container, path, bytesMax))));
        return files;
    }

    private Optional<byte[]> fileOf(String container, String path, int bytesMax) {
        try {
            return engine.call("reading a file of the image", client -> {
                try (InputStream archive =
                        client.copyArchiveFromContainerCmd(container, path).exec()) {
                    TarArchiveInputStream tar = new TarArchiveInputStream(archive);
                    TarArchiveEntry entry = tar.getNextEntry();
                    // A link's target may be in no image: no file can be bound there.
                    return entry != null && entry.isFile() && !entry.isSymbolicLink()
                            ? Optional.of(tar.readNBytes(bytesMax + 1))
                            : Optional.empty();
                } catch (IOException unreadable) {
                    throw new UncheckedIOException(unreadable);
                }
            });
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                return Optional.of(new byte[0]);
            }
            throw failure;
        }
    }

    private void verifyOrFill(String container) {
        if (isClosedToAgents(container) && holdsProgram(container)) {
            return;
        }
        LOG.info("Putting the guest program into the engine's volume {}", name());
        byte[] archive = archive();
        engine.call("storing the guest program", client -> {
            client.copyArchiveToContainerCmd(container)
                    .withRemotePath("/")
                    .withTarInputStream(new ByteArrayInputStream(archive))
                    .exec();
            return archive.length;
        });
        if (!isClosedToAgents(container) || !holdsProgram(container)) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "The container engine did not keep the guest program in its volume " + name()
                            + ". Remove that volume and check the engine's disk.");
        }
    }

    private boolean isClosedToAgents(String container) {
        return holds(container, MOUNT_POINT, archive -> {
            TarArchiveEntry folder = new TarArchiveInputStream(archive).getNextEntry();
            return folder != null
                    && folder.isDirectory()
                    && (folder.getMode() & 0777) == FOLDER_MODE
                    && folder.getLongUserId() == 0;
        });
    }

    private boolean holdsProgram(String container) {
        return holds(container, PROGRAM_PATH, this::isProgram);
    }

    /** Reads the archive that the engine creates from a path. */
    private interface Look {
        boolean at(InputStream archive) throws IOException;
    }

    private boolean holds(String container, String path, Look look) {
        try {
            return engine.call("reading the guest program back", client -> {
                try (InputStream archive =
                        client.copyArchiveFromContainerCmd(container, path).exec()) {
                    return look.at(archive);
                } catch (IOException unreadable) {
                    throw new UncheckedIOException(unreadable);
                }
            });
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                return false;
            }
            throw failure;
        }
    }

    private boolean isProgram(InputStream archive) throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(archive);
        TarArchiveEntry entry = tar.getNextEntry();
        boolean plausible = entry != null
                && entry.isFile()
                && entry.getSize() == program.length()
                && (entry.getMode() & 0777) == PROGRAM_MODE
                && entry.getLongUserId() == 0;
        return plausible && program.equalsBytes(tar.readNBytes(program.length()));
    }

    /**
     * Starts at the root: the engine applies the mode of a folder in the archive, but not to the folder that it
     * extracts into.
     */
    private byte[] archive() {
        String parent = MOUNT_POINT.substring(1) + "/";
        String beside = parent + GuestProgram.NAME + "." + UlidCreator.getUlid().toLowerCase();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            TarArchiveEntry folder = new TarArchiveEntry(parent);
            folder.setMode(FOLDER_MODE);
            tar.putArchiveEntry(folder);
            tar.closeArchiveEntry();
            TarArchiveEntry file = new TarArchiveEntry(beside);
            file.setSize(program.length());
            file.setMode(PROGRAM_MODE);
            tar.putArchiveEntry(file);
            tar.write(program.bytes());
            tar.closeArchiveEntry();
            TarArchiveEntry link = new TarArchiveEntry(parent + GuestProgram.NAME, TarConstants.LF_LINK);
            link.setLinkName(beside);
            link.setMode(PROGRAM_MODE);
            tar.putArchiveEntry(link);
            tar.closeArchiveEntry();
        } catch (IOException impossible) {
            throw new UncheckedIOException("Writing an archive in memory cannot fail.", impossible);
        }
        return bytes.toByteArray();
    }

    private void withCarrier(String imageId, Consumer<String> work) {
        SandboxId id = SandboxId.fresh();
        carriers.add(id);
        Optional<String> container = Optional.empty();
        try {
            container = Optional.of(
                    engine.call("making room for the guest program", client -> client.createContainerCmd(imageId)
                            .withName(labels.waitingName(id))
                            .withLabels(labels.of(id))
                            .withEntrypoint(List.of(PROGRAM_PATH))
                            .withHostConfig(
                                    new HostConfig().withNetworkMode("none").withMounts(List.of(mount())))
                            .exec()
                            .getId()));
            work.accept(container.get());
        } finally {
            container.ifPresent(this::remove);
            carriers.remove(id);
        }
    }

    private void remove(String container) {
        try {
            engine.call("removing a container that was never started", client -> client.removeContainerCmd(container)
                    .withForce(true)
                    .withRemoveVolumes(true)
                    .exec());
        } catch (DriverException failure) {
            LOG.warn("A container that was never started stays until the next sweep: {}", failure.getMessage());
        }
    }

    private Mount mount() {
        // Without "no copy" the engine would fill a new volume from the image's directory: another program.
        return new Mount()
                .withType(MountType.VOLUME)
                .withSource(name())
                .withTarget(MOUNT_POINT)
                .withVolumeOptions(
                        new VolumeOptions().withNoCopy(true).withLabels(Map.of(Labels.GUEST, program.sha256())));
    }

    private String name() {
        return "vivarium-guest-" + program.sha256().substring(0, NAME_DIGITS);
    }
}
