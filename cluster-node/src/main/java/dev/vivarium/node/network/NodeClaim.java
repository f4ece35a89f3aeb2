package dev.vivarium.node.network;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Shows that the node with a mark is alive: a lock on a file of this machine, which the kernel releases when the node's
 * process ends in any way.
 */
final class NodeClaim implements Closeable {
    private static final Path FOLDER = Path.of("/run/vivarium");

    private final FileChannel file;

    private NodeClaim(FileChannel file) {
        this.file = file;
    }

    /** Claims the mark; empty when a living node has it. */
    static Optional<NodeClaim> of(NodeMark mark) throws IOException {
        Files.createDirectories(FOLDER);
        FileChannel file = FileChannel.open(
                FOLDER.resolve("egress-" + mark.text()), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = file.tryLock();
            if (lock != null) {
                return Optional.of(new NodeClaim(file));
            }
        } catch (OverlappingFileLockException ofThisProcess) {
            // The same result, for a node in this process.
        }
        file.close();
        return Optional.empty();
    }

    /**
     * Serializes the choice of unused resources among this machine's nodes, since two that start together would find
     * the same ones free. Only one caller per process may wait at a time.
     */
    static Closeable turn() throws IOException {
        Files.createDirectories(FOLDER);
        FileChannel file =
                FileChannel.open(FOLDER.resolve("egress-turn"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock unused = file.lock();
            return file;
        } catch (IOException failed) {
            file.close();
            throw failed;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
