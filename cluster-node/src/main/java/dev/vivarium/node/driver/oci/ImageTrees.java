package dev.vivarium.node.driver.oci;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.node.program.PrivateFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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
    static final String USED = "used";
    private static final Duration NOTED_ONCE_IN = Duration.ofMinutes(1);
    private static final int SYNC_SECONDS_MAX = 120;

    private final Path content;
    private final Path folder;
    private final Source source;
    private final Duration unpackTimeout;
    private final DiskBudget.Limits limits;
    private final NodeClock clock;
    private final ImageSweep sweep;
    /** Images verified since this node's start, and when their use was last recorded. */
    private final Map<String, Instant> trusted = new ConcurrentHashMap<>();
    /** One lock per image, so that concurrent requests unpack it once. */
    private final Map<String, Object> locks = new ConcurrentHashMap<>();

    /** What delivers images. */
    interface Source {
        /**
         * Reads all files of an image as one archive.
         *
         * @param limit how long it may take
         */
        void unpack(String imageId, Duration limit, EngineImages.Reader reader);
    }

    /**
     * @param content the folder of all content, which only root may enter; images are in one of its own below
     * @param unpackTimeout how long unpacking one may take
     * @param limits what one may take of the disk
     */
    ImageTrees(Path content, Source source, Duration unpackTimeout, DiskBudget.Limits limits, NodeClock clock) {
        this.content = content;
        this.folder = content.resolve("images");
        this.source = source;
        this.unpackTimeout = unpackTimeout;
        this.limits = limits;
        this.clock = clock;
        this.sweep = new ImageSweep(folder, clock);
    }

    /** The files of an image, unpacked unless they are there. Blocks. */
    Path tree(String imageId) {
        String digits = digits(imageId);
        Path tree = folder.resolve(digits).resolve(TREE);
        Instant now = clock.now();
        try {
            if (!isUsable(digits, tree)) {
                synchronized (locks.computeIfAbsent(digits, any -> new Object())) {
                    if (!isUsable(digits, tree)) {
                        PrivateFolder.make(folder);
                        if (!isWhole(digits)) {
                            unpack(imageId, digits);
                        }
                        note(digits, now);
                    }
                }
            }
        } catch (IOException failed) {
            throw refused(imageId, failed);
        }
        Instant noted = trusted.get(digits);
        if (noted == null || noted.plus(NOTED_ONCE_IN).isBefore(now)) {
            note(digits, now);
        }
        return tree;
    }

    /** Whether it was verified. Only root can have changed it since, as long as its folders are root's and closed. */
    private boolean isUsable(String digits, Path tree) throws IOException {
        if (!trusted.containsKey(digits) || !Files.isDirectory(tree)) {
            return false;
        }
        PrivateFolder.require(content);
        PrivateFolder.require(folder);
        return true;
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
                        + (String.valueOf(failed.getMessage()).endsWith(".") ? "" : ".")
                        + " The node's operator can make room there, or name another folder"
                        + " (vivarium.driver.oci.folder).",
                failed);
    }

    private void note(String digits, Instant now) {
        trusted.put(digits, now);
        sweep.note(folder.resolve(digits), now);
    }

    /** Whether it exists unchanged since it was unpacked; a changed one is put aside. */
    private boolean isWhole(String digits) throws IOException {
        Path image = folder.resolve(digits);
        if (!Files.exists(image, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try {
            if (Files.isDirectory(image, LinkOption.NOFOLLOW_LINKS)
                    && Files.readString(image.resolve(DIGEST)).equals(TreeDigest.of(image.resolve(TREE)))) {
                return true;
            }
        } catch (NoSuchFileException incomplete) {
            LOG.debug("Image {} is not complete", digits, incomplete);
        }
        LOG.warn(
                "Files of image {} in {} were changed since they were unpacked; it is unpacked again.", digits, folder);
        sweep.putAside(image);
        return false;
    }

    private void unpack(String imageId, String digits) throws IOException {
        long begun = clock.nanos();
        try (UnfinishedImage unfinished = UnfinishedImage.begin(folder)) {
            Path fresh = unfinished.folder();
            Path tree = fresh.resolve(TREE);
            Files.createDirectory(tree);
            // The usual attributes, for a root that the archive does not describe.
            Files.setAttribute(tree, "unix:mode", 0755);
            source.unpack(imageId, unpackTimeout, archive -> writeTree(imageId, tree, archive));
            Files.writeString(fresh.resolve(DIGEST), TreeDigest.of(tree));
            sync(fresh);
            try {
                Files.move(fresh, folder.resolve(digits));
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException another) {
                LOG.debug("Another node has unpacked image {} meanwhile", digits);
            }
            sync(folder);
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
            new TreeWriter(tree, new DiskBudget(limits, Files.getFileStore(tree))).write(archive);
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

    /**
     * Removes images that no sandbox of this machine uses and none has used for a while, and leftovers of crashes.
     *
     * @param used the ids of the images of the sandboxes that this node knows of
     */
    void sweep(Duration keep, ImageSweep.Uses used) throws IOException {
        sweep.run(keep, used).forEach(trusted::remove);
    }
}
