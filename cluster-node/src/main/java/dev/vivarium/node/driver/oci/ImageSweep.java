package dev.vivarium.node.driver.oci;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.program.PrivateFolder;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes unpacked images when nothing uses them. A node knows the sandboxes of its state folder only, and nodes with other
 * state folders may share the images: so each sweep also records that the images of its sandboxes are in use now, which is
 * what other nodes go by.
 */
final class ImageSweep {
    private static final Logger LOG = LoggerFactory.getLogger(ImageSweep.class);
    /** A damaged image, which sandboxes may still use: {@code old-ID-NUMBER}. */
    private static final String UNWANTED = "old-";

    private final Path folder;
    private final NodeClock clock;

    /** The images in use. */
    interface Uses {
        /** Their ids, in hexadecimal digits. */
        Set<String> images() throws IOException;
    }

    ImageSweep(Path folder, NodeClock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /** Records that an image is used now. */
    void note(Path image, Instant now) {
        try {
            Path used = image.resolve(ImageTrees.USED);
            if (!Files.exists(used)) {
                Files.createFile(used);
            }
            Files.setLastModifiedTime(used, FileTime.from(now));
        } catch (IOException readOnly) {
            LOG.debug("That image {} is used cannot be recorded: {}", image, readOnly.toString());
        }
    }

    /** Renames it, so that no new sandbox uses it; it stays as long as sandboxes of that image may. */
    Path putAside(Path image) throws IOException {
        Path aside = folder.resolve(UNWANTED + image.getFileName() + "-" + clock.nanos());
        Files.move(image, aside);
        note(aside, clock.now());
        return aside;
    }

    /**
     * One sweep.
     *
     * @param keep how long an unused image stays
     * @return the ids of the images that it has removed
     */
    Set<String> run(Duration keep, Uses uses) throws IOException {
        Set<String> removed = new HashSet<>();
        if (!Files.isDirectory(folder)) {
            return removed;
        }
        List<Path> found;
        try (Stream<Path> images = Files.list(folder)) {
            found = images.toList();
        }
        Instant now = clock.now();
        Set<String> used = uses.images();
        for (Path image : found) {
            if (UnfinishedImage.is(image)) {
                if (UnfinishedImage.isAbandoned(image) || isOlder(image, now.minus(keep))) {
                    PrivateFolder.removeTree(image);
                    LOG.info("Removed {}, which a node had not finished when it died", image);
                }
            } else if (used.contains(id(image))) {
                note(image, now);
            } else if (isOlder(image.resolve(ImageTrees.USED), now.minus(keep)) && remove(image, uses)) {
                removed.add(id(image));
                LOG.info("Removed image {} from {}: it was not used for {} h", id(image), folder, keep.toHours());
            }
        }
        return removed;
    }

    private static boolean isUnwanted(Path image) {
        return image.getFileName().toString().startsWith(UNWANTED);
    }

    private static String id(Path image) {
        String name = image.getFileName().toString();
        return isUnwanted(image) ? name.substring(UNWANTED.length(), name.lastIndexOf('-')) : name;
    }

    /** Returns false if a sandbox has begun to use it. */
    private boolean remove(Path image, Uses uses) throws IOException {
        if (isUnwanted(image)) {
            PrivateFolder.removeTree(image);
            return true;
        }
        Path aside = putAside(image);
        if (!uses.images().contains(id(image))) {
            PrivateFolder.removeTree(aside);
            return true;
        }
        try {
            Files.move(aside, image);
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException another) {
            LOG.debug("Image {} was unpacked again meanwhile", image);
        }
        return false;
    }

    private static boolean isOlder(Path file, Instant oldest) throws IOException {
        return !Files.exists(file, LinkOption.NOFOLLOW_LINKS)
                || !Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)
                        .toInstant()
                        .isAfter(oldest);
    }
}
