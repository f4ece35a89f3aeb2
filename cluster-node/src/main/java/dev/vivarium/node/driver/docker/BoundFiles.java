package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.MountType;
import dev.vivarium.node.driver.SandboxId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that a sandbox has in place of its image's or the kernel's. An engine can bind only files of the machine that it runs
 * on, and cannot copy into a read-only root, so they are kept in the guest's volume, next to its program; where this node cannot
 * write there (an engine on another machine), there are none. Each sandbox has its own copies: a file that two can open is a
 * channel between them (locks, inotify).
 *
 * <p>The files are needed until the sandbox has started: a bound file stays in it when its name is gone.
 */
final class BoundFiles {
    private static final Logger LOG = LoggerFactory.getLogger(BoundFiles.class);

    /** No sandbox takes that long to start: older files were left by a node that died meanwhile. */
    private static final Duration OLD = Duration.ofHours(1);

    private final GuestVolume guest;
    private final AtomicBoolean swept = new AtomicBoolean();

    BoundFiles(GuestVolume guest) {
        this.guest = guest;
    }

    /** Whether files can be bound. */
    boolean arePossible() {
        return guest.folderHere().isPresent();
    }

    /**
     * Writes the files, and returns the mounts for a sandbox that is about to be made; none where that is not possible.
     *
     * @param files their content by path in the sandbox, where each must exist as a file
     */
    List<Mount> bind(SandboxId id, Map<String, byte[]> files) {
        Optional<Path> folder = guest.folderHere();
        if (folder.isEmpty() || files.isEmpty()) {
            return List.of();
        }
        List<Mount> mounts = new ArrayList<>();
        try {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                Path written = folder.get().resolve(id.value() + file.getKey().replace('/', '-'));
                mounts.add(new Mount()
                        .withType(MountType.BIND)
                        .withSource(written.toString())
                        .withTarget(file.getKey())
                        .withReadOnly(true));
                Files.write(written, file.getValue());
                Files.setPosixFilePermissions(written, PosixFilePermissions.fromString("r--r--r--"));
            }
            if (swept.compareAndSet(false, true)) {
                sweep(folder.get(), source(mounts.get(0)));
            }
            return List.copyOf(mounts);
        } catch (IOException failed) {
            LOG.warn(
                    "Sandbox {} has no name for its agent in /etc/passwd and sees the machine's sizes: {}",
                    id,
                    failed.toString());
            remove(mounts);
            return List.of();
        }
    }

    /** Call once the sandbox has started, or has failed to. */
    void remove(List<Mount> mounts) {
        for (Mount mount : mounts) {
            try {
                Files.deleteIfExists(source(mount));
            } catch (IOException failed) {
                LOG.warn("A file in the guest's volume stays: {}", failed.toString());
            }
        }
    }

    private static Path source(Mount mount) {
        return Path.of(Objects.requireNonNull(mount.getSource()));
    }

    /** Removes files of nodes that died while a sandbox started, by their age relative to a newly written file. */
    private static void sweep(Path folder, Path fresh) throws IOException {
        Instant oldest = Files.getLastModifiedTime(fresh).toInstant().minus(OLD);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(BoundFiles::isOne).toList()) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(oldest)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static boolean isOne(Path file) {
        String name = file.getFileName().toString();
        int end = name.indexOf('-');
        return end > 0 && SandboxId.isValid(name.substring(0, end));
    }
}
