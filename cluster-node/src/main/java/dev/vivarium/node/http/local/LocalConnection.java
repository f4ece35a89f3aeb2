package dev.vivarium.node.http.local;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection: never blocks, and tells when it can be read or written again. Thread-safe. */
final class LocalConnection {
    private static final Logger LOG = LoggerFactory.getLogger(LocalConnection.class);

    private final SocketChannel channel;
    private final SelectionKey key;
    private final AtomicReference<Runnable> reader = new AtomicReference<>(LocalConnection::nobodyWaits);
    private final AtomicReference<Runnable> writer = new AtomicReference<>(LocalConnection::nobodyWaits);
    private final CompletableFuture<Done> closed = new CompletableFuture<>();

    /** @param key its registration, for nothing yet */
    LocalConnection(SocketChannel channel, SelectionKey key) {
        this.channel = channel;
        this.key = key;
    }

    private static void nobodyWaits() {}

    SocketChannel channel() {
        return channel;
    }

    /** Runs it once, when bytes, the end or a failure can be read. */
    void whenReadable(Runnable then) {
        reader.set(then);
        listenFor(SelectionKey.OP_READ);
    }

    /** Runs it once, when bytes can be written, or that fails. */
    void whenWritable(Runnable then) {
        writer.set(then);
        listenFor(SelectionKey.OP_WRITE);
    }

    private void listenFor(int operation) {
        try {
            key.interestOpsOr(operation);
            key.selector().wakeup();
        } catch (CancelledKeyException over) {
            LOG.trace("The connection was closed meanwhile, as its end says.", over);
        }
    }

    /** Called by the thread that selects. */
    void ready() {
        int operations;
        try {
            operations = key.readyOps();
            key.interestOpsAnd(~operations);
        } catch (CancelledKeyException over) {
            return;
        }
        if ((operations & SelectionKey.OP_READ) != 0) {
            reader.getAndSet(LocalConnection::nobodyWaits).run();
        }
        if ((operations & SelectionKey.OP_WRITE) != 0) {
            writer.getAndSet(LocalConnection::nobodyWaits).run();
        }
    }

    /** Idempotent. */
    void close() {
        try {
            channel.close();
        } catch (IOException failed) {
            LOG.debug("A connection was not closed cleanly: {}", failed.getMessage());
        }
        // The channel's file is closed when the selector has forgotten it.
        key.selector().wakeup();
        closed.complete(Done.getInstance());
    }

    /** Completes when it is closed; never fails. */
    CompletionStage<Done> closed() {
        return closed;
    }
}
