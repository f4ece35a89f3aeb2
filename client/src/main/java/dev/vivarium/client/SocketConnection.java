package dev.vivarium.client;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Locale;
import jdk.net.ExtendedSocketOptions;

/** A connection to a Unix domain socket, whose waits end at a time, or when their thread is interrupted. Not thread-safe. */
final class SocketConnection implements Closeable {
    /** Long enough that it does not matter; short enough to be counted in nanoseconds. */
    private static final Duration FOR_EVER = Duration.ofDays(10_000);

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private long endNanos;

    private SocketConnection(SocketChannel channel, Selector selector, SelectionKey key) {
        this.channel = channel;
        this.selector = selector;
        this.key = key;
        waitForEver();
    }

    /**
     * Connects. Blocks while the server has as many connections as it may.
     *
     * @throws ConnectException when no program listens there, or this user may not connect
     */
    static SocketConnection open(Path socket) throws IOException {
        SocketChannel channel = connected(socket);
        try {
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            return new SocketConnection(channel, selector, channel.register(selector, 0));
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    private static SocketChannel connected(Path socket) throws IOException {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(socket));
        } catch (ClosedByInterruptException interrupted) {
            throw interrupted();
        } catch (IOException refused) {
            ConnectException unreachable =
                    new ConnectException(String.valueOf(refused.getMessage()).toLowerCase(Locale.ROOT));
            unreachable.initCause(refused);
            throw unreachable;
        }
    }

    private static InterruptedIOException interrupted() {
        return new InterruptedIOException("interrupted");
    }

    /** The user who listens there, as the kernel knows it. */
    UserPrincipal peer() throws IOException {
        return channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    }

    /** Further waits end after this time, all together. */
    void waitAtMost(Duration time) {
        endNanos = System.nanoTime() + time.toNanos();
    }

    /** Further waits last until something happens. */
    void waitForEver() {
        waitAtMost(FOR_EVER);
    }

    /** Reads at least one byte; less than zero at the end. */
    int read(ByteBuffer into) throws IOException {
        int count = channel.read(into);
        while (count == 0) {
            await(SelectionKey.OP_READ);
            count = channel.read(into);
        }
        return count;
    }

    /** Writes all of it. */
    void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE);
            }
        }
    }

    private void await(int operation) throws IOException {
        try {
            key.interestOps(operation);
            while (selector.selectNow() == 0) {
                long leftMillis = Duration.ofNanos(endNanos - System.nanoTime()).toMillis();
                if (leftMillis <= 0) {
                    throw new HttpTimeoutException("request timed out");
                }
                selector.select(leftMillis);
                if (Thread.currentThread().isInterrupted()) {
                    throw interrupted();
                }
                if (selector.selectedKeys().contains(key)) {
                    break;
                }
            }
            selector.selectedKeys().clear();
        } catch (ClosedSelectorException closed) {
            throw new IOException("the connection was closed", closed);
        }
    }

    /** Idempotent. */
    @Override
    public void close() throws IOException {
        try (channel) {
            selector.close();
        }
    }
}
