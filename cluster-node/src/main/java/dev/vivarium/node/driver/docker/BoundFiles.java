package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.MountType;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.linux.OwnFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sandbox's {@link OwnFiles} for an engine. It can bind only files of the machine that it runs on, and cannot copy into a
 * read-only root, so they are kept in the guest's volume, next to its program; where this node cannot write there (an engine on
 * another machine), there are none.
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
        try {
            List<Mount> mounts = OwnFiles.write(folder.get(), id.value(), files).entrySet().stream()
                    .map(copy -> new Mount()
                            .withType(MountType.BIND)
                            .withSource(copy.getValue().toString())
                            .withTarget(copy.getKey())
                            .withReadOnly(true))
                    .toList();
            if (swept.compareAndSet(false, true)) {
                sweep(folder.get(), source(mounts.get(0)));
            }
            return mounts;
        } catch (IOException failed) {
            LOG.warn(
                    "Sandbox {} has no name for its agent in /etc/passwd and sees the machine's sizes: {}",
                    id,
                    failed.toString());
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
    private static void sweep(Path folder, Path fresh) {
        try (Stream<Path> files = Files.list(folder)) {
            Instant oldest = Files.getLastModifiedTime(fresh).toInstant().minus(OLD);
            for (Path file : files.filter(BoundFiles::isOne).toList()) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(oldest)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException failed) {
            LOG.warn("Files that a dead node has left in the guest's volume stay: {}", failed.toString());
        }
    }

    private static boolean isOne(Path file) {
        String name = file.getFileName().toString();
        int end = name.indexOf('-');
        return end > 0 && SandboxId.isValid(name.substring(0, end));
    }
}
