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
 * That a node lives whose things in the kernel have a mark: a lock on a file of this machine's, which the kernel gives back
 * when the node's process ends, however it does.
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
            // The same answer, for a node of this very process.
        }
        file.close();
        return Optional.empty();
    }

    /**
     * Waits for its turn among the nodes of this machine that choose what nobody has: two that start at once would find the
     * same free. Of one process only one may wait at a time.
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
