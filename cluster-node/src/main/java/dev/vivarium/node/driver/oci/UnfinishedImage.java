package dev.vivarium.node.driver.oci;

import dev.vivarium.node.program.PrivateFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The folder of an image that is being unpacked, with a lock that the kernel releases when its node dies: a folder without one
 * was abandoned. Whatever is in it when this is closed is removed.
 */
final class UnfinishedImage implements AutoCloseable {
    private static final String PREFIX = "new-";
    /** A lock belongs to the whole process, so its own are known by their paths. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel lock;

    private UnfinishedImage(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    static UnfinishedImage begin(Path images) throws IOException {
        Path folder = Files.createTempDirectory(images, PREFIX);
        OWN.add(folder);
        try {
            FileChannel lock = FileChannel.open(
                    folder.resolve(ImageTrees.USED), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            if (lock.tryLock() == null) {
                lock.close();
                throw new IOException("a new file is locked already.");
            }
            return new UnfinishedImage(folder, lock);
        } catch (IOException failed) {
            OWN.remove(folder);
            PrivateFolder.removeTree(folder);
            throw failed;
        }
    }

    Path folder() {
        return folder;
    }

    /** Whether a folder of images is one of these. */
    static boolean is(Path folder) {
        return folder.getFileName().toString().startsWith(PREFIX);
    }

    /** Whether its node has died. One without a file to lock may have begun this moment, so it is not. */
    static boolean isAbandoned(Path unfinished) throws IOException {
        if (OWN.contains(unfinished)) {
            return false;
        }
        try (FileChannel file = FileChannel.open(unfinished.resolve(ImageTrees.USED), StandardOpenOption.WRITE)) {
            return file.tryLock() != null;
        } catch (NoSuchFileException beginningOrFinished) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        try (lock) {
            PrivateFolder.removeTree(folder);
        } finally {
            OWN.remove(folder);
        }
    }
}
