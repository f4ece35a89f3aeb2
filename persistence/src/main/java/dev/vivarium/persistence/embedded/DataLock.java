package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Marks a data directory as in use by one node. The kernel releases the lock when the node's process ends, for whatever
 * reason.
 */
final class DataLock implements AutoCloseable {
    private final FileChannel channel;

    private DataLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Takes the lock.
     *
     * @throws StoreUnavailable when another node holds it
     */
    static DataLock take(Path dataDir) throws IOException {
        return tryToTake(dataDir)
                .orElseThrow(() -> new StoreUnavailable("Another node is using the data directory " + dataDir
                        + ": stop it first, or give this one another directory with --data."));
    }

    /** Takes the lock; empty when another node holds it. */
    static Optional<DataLock> tryToTake(Path dataDir) throws IOException {
        FileChannel channel =
                FileChannel.open(dataDir.resolve("node.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (!locked(channel)) {
            channel.close();
            return Optional.empty();
        }
        return Optional.of(new DataLock(channel));
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
