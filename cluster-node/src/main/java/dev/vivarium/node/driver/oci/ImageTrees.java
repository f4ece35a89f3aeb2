package dev.vivarium.node.driver.oci;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.protocol.run.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Unpacked images, one folder for each image id: {@code images/ID/tree}, next to a digest of all names, modes, owners, sizes
 * and change times. Sandboxes see the tree through a read-only overlay. A folder is renamed to its final name once all of it is on
 * disk; one left incomplete by a crash keeps its temporary name and is swept. The nodes of a machine share the folders.
 */
final class ImageTrees {
    private static final Logger LOG = LoggerFactory.getLogger(ImageTrees.class);
    private static final String TREE = "tree";
    private static final String DIGEST = "digest";
    private static final String USED = "used";
    private static final String UNFINISHED = "new-";
    private static final String UNWANTED = "old-";
    private static final Duration NOTED_ONCE_IN = Duration.ofMinutes(1);
    private static final int SYNC_SECONDS_MAX = 120;

    private final Path folder;
    private final EngineImages engine;
    private final Duration unpackTimeout;
    private final NodeClock clock;
    /** Images verified since this node's start, and when their use was last recorded. */
    private final Map<String, Instant> trusted = new ConcurrentHashMap<>();
    /** One lock per image, so that concurrent requests unpack it once. */
    private final Map<String, Object> locks = new ConcurrentHashMap<>();

    /**
     * @param folder the folder of images, which only root may enter
     * @param engine the engine that delivers them
     * @param unpackTimeout how long unpacking one may take
     */
    ImageTrees(Path folder, EngineImages engine, Duration unpackTimeout, NodeClock clock) {
        this.folder = folder;
        this.engine = engine;
        this.unpackTimeout = unpackTimeout;
        this.clock = clock;
    }

    /** The files of an image, unpacked unless they are there. Blocks. */
    Path tree(String imageId) {
        String digits = digits(imageId);
        Path tree = folder.resolve(digits).resolve(TREE);
        Instant now = clock.now();
        Instant noted = trusted.get(digits);
        if (noted != null && Files.isDirectory(tree)) {
            if (noted.plus(NOTED_ONCE_IN).isBefore(now)) {
                note(digits, now);
            }
            return tree;
        }
        synchronized (locks.computeIfAbsent(digits, any -> new Object())) {
            if (!trusted.containsKey(digits) || !Files.isDirectory(tree)) {
                try {
                    StateFolder.makePrivate(folder);
                    if (!isWhole(digits)) {
                        unpack(imageId, digits);
                    }
                } catch (IOException failed) {
                    throw refused(imageId, failed);
                }
            }
            note(digits, now);
        }
        return tree;
    }

    /** Has the tree verified again, after a sandbox could not be created from it. */
    void distrust(String imageId) {
        trusted.remove(digits(imageId));
    }

    private static String digits(String imageId) {
        String digits = imageId.substring(imageId.indexOf(':') + 1);
        if (!digits.matches("[0-9a-f]{32,128}")) {
            throw new DriverException(Kind.IMAGE_REFUSED, "The engine gives the image an id that is none: " + imageId);
        }
        return digits;
    }

    private DriverException refused(String imageId, IOException failed) {
        if (failed instanceof TreeWriter.MalformedImageException) {
            return new DriverException(
                    Kind.IMAGE_REFUSED,
                    "The image " + imageId + " cannot be unpacked: " + failed.getMessage() + ".",
                    failed);
        }
        return new DriverException(
                Kind.REFUSED,
                "The image " + imageId + " could not be unpacked into " + folder + ": " + failed.getMessage()
                        + " The node's operator can make room there, or name another folder"
                        + " (vivarium.driver.oci.folder).",
                failed);
    }

    private void note(String digits, Instant now) {
        trusted.put(digits, now);
        try {
            Path used = folder.resolve(digits).resolve(USED);
            if (!Files.exists(used)) {
                Files.createFile(used);
            }
            Files.setLastModifiedTime(used, FileTime.from(now));
        } catch (IOException readOnly) {
            LOG.debug("That image {} is used cannot be noted: {}", digits, readOnly.toString());
        }
    }

    /** Whether it exists unchanged since it was unpacked; a changed one is put aside. */
    private boolean isWhole(String digits) throws IOException {
        Path image = folder.resolve(digits);
        if (!Files.isDirectory(image)) {
            return false;
        }
        String is = digest(image.resolve(TREE));
        try {
            if (Files.readString(image.resolve(DIGEST)).equals(is)) {
                return true;
            }
        } catch (NoSuchFileException incomplete) {
            LOG.debug("Image {} has no digest", digits);
        }
        LOG.warn(
                "Files of image {} in {} were changed since they were unpacked; it is unpacked again.", digits, folder);
        putAside(image);
        return false;
    }

    private void unpack(String imageId, String digits) throws IOException {
        long begun = clock.nanos();
        Path fresh = Files.createTempDirectory(folder, UNFINISHED);
        try {
            Path tree = fresh.resolve(TREE);
            Files.createDirectory(tree);
            // The usual attributes, for a root that the archive does not describe.
            Files.setAttribute(tree, "unix:mode", 0755);
            engine.unpack(imageId, unpackTimeout, archive -> writeTree(imageId, tree, archive));
            Files.writeString(fresh.resolve(DIGEST), digest(tree));
            Files.createFile(fresh.resolve(USED));
            sync(fresh);
            try {
                Files.move(fresh, folder.resolve(digits));
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException another) {
                LOG.debug("Another node has unpacked image {} meanwhile", digits);
            }
            sync(folder);
        } finally {
            StateFolder.removeTree(fresh);
        }
        LOG.info(
                "Unpacked image {} into {} in {} ms",
                imageId,
                folder,
                TimeUnit.NANOSECONDS.toMillis(clock.nanos() - begun));
    }

    /** Keeps disk errors apart from failures of the engine, as which its call would report them. */
    private void writeTree(String imageId, Path tree, InputStream archive) throws IOException {
        try {
            new TreeWriter(tree).write(archive);
        } catch (TreeWriter.DiskException | TreeWriter.MalformedImageException failed) {
            throw refused(imageId, failed);
        }
    }

    /** Java can sync one file at a time only. */
    private static void sync(Path path) throws IOException {
        Process sync = new ProcessBuilder("sync", "-f", path.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            if (!sync.waitFor(SYNC_SECONDS_MAX, TimeUnit.SECONDS)) {
                throw new IOException("the disk had not taken it after " + SYNC_SECONDS_MAX + " s.");
            }
            if (sync.exitValue() != 0) {
                throw new IOException("the disk has not taken it (sync ended with code " + sync.exitValue() + ").");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("the node is stopping.", interrupted);
        } finally {
            sync.destroyForcibly();
        }
    }

    /** Attributes of each file, including the time of its last change of any kind (ctime), which no program can set. */
    private static String digest(Path tree) throws IOException {
        MessageDigest all = Digest.newSha256();
        digest(tree, "", all);
        return HexFormat.of().formatHex(all.digest());
    }

    private static void digest(Path file, String path, MessageDigest all) throws IOException {
        Map<String, Object> is =
                Files.readAttributes(file, "unix:mode,uid,gid,size,ctime,nlink", LinkOption.NOFOLLOW_LINKS);
        all.update((path + "\0" + is.get("mode") + " " + is.get("uid") + " " + is.get("gid") + " " + is.get("size")
                        + " " + is.get("nlink") + " " + is.get("ctime") + "\n")
                .getBytes(StandardCharsets.UTF_8));
        if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
            try (Stream<Path> entries = Files.list(file)) {
                for (Path entry : entries.sorted().toList()) {
                    digest(entry, path + "/" + entry.getFileName(), all);
                }
            }
        }
    }

    /** Renames it, so that no new sandbox uses it; running ones keep their open files. */
    private Path putAside(Path image) throws IOException {
        Path aside = folder.resolve(UNWANTED + image.getFileName() + "-" + clock.nanos());
        return Files.move(image, aside);
    }

    // ---- sweeping

    /** The images in use. */
    interface Uses {
        /** Their ids, in hexadecimal digits. */
        Set<String> images() throws IOException;
    }

    /**
     * Removes images that no sandbox of this machine uses and none has used for a while, and leftovers of crashes.
     *
     * @param used the ids of the images of all sandboxes of this machine, asked for again once an image is put aside
     */
    void sweep(Duration keep, Uses used) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        Instant oldest = clock.now().minus(keep);
        Set<String> before = used.images();
        try (Stream<Path> images = Files.list(folder)) {
            for (Path image : images.toList()) {
                String name = image.getFileName().toString();
                boolean isImage = !name.startsWith(UNFINISHED) && !name.startsWith(UNWANTED);
                if (isNewerThan(oldest, isImage ? image.resolve(USED) : image) || before.contains(name)) {
                    continue;
                }
                Path aside = isImage ? putAside(image) : image;
                if (isImage && used.images().contains(name)) {
                    Files.move(aside, image);
                    continue;
                }
                trusted.remove(name);
                StateFolder.removeTree(aside);
                LOG.info("Removed image {} from {}: it was not used for {} h", name, folder, keep.toHours());
            }
        }
    }

    private static boolean isNewerThan(Instant oldest, Path file) throws IOException {
        try {
            return Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)
                    .toInstant()
                    .isAfter(oldest);
        } catch (NoSuchFileException unknown) {
            return false;
        }
    }
}
