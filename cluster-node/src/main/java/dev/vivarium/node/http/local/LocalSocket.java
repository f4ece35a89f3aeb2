package dev.vivarium.node.http.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import jdk.net.ExtendedSocketOptions;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on a Unix domain socket. Each connection is a stream of its own, which is told the user at the other end, as the
 * kernel knows it. One thread accepts, and tells connections when they can go on; beyond the limit of connections the kernel
 * lets further ones wait.
 */
public final class LocalSocket {
    private static final Logger LOG = LoggerFactory.getLogger(LocalSocket.class);
    private static final Duration LINGER = Duration.ofSeconds(2);
    private static final Duration END_MAX = Duration.ofSeconds(2);
    /** The pause after a failure to accept, such as for want of file descriptors. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final SocketFile file;
    private final int connectionsMax;
    private final Function<UserPrincipal, Flow<ByteString, ByteString, NotUsed>> service;
    private final ActorSystem<?> system;
    private final Selector selector;
    private final SelectionKey accepting;
    private final Thread thread = new Thread(this::serve, "vivarium-local-socket");
    private final Set<LocalConnection> open = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final CountDownLatch empty = new CountDownLatch(1);

    private LocalSocket(
            SocketFile file,
            int connectionsMax,
            Function<UserPrincipal, Flow<ByteString, ByteString, NotUsed>> service,
            ActorSystem<?> system)
            throws IOException {
        this.file = file;
        this.connectionsMax = connectionsMax;
        this.service = service;
        this.system = system;
        file.channel().configureBlocking(false);
        this.selector = Selector.open();
        this.accepting = file.channel().register(selector, SelectionKey.OP_ACCEPT);
        thread.setDaemon(true);
    }

    /**
     * Listens.
     *
     * @param path where the socket is, absolute
     * @param connectionsMax concurrent connections
     * @param service the server's side of a connection of a user of this machine
     * @throws IOException with a sentence for the operator when that cannot be done
     */
    public static LocalSocket listen(
            Path path,
            int connectionsMax,
            Function<UserPrincipal, Flow<ByteString, ByteString, NotUsed>> service,
            ActorSystem<?> system)
            throws IOException {
        SocketFile file = SocketFile.listen(path);
        try {
            LocalSocket socket = new LocalSocket(file, connectionsMax, service, system);
            socket.thread.start();
            return socket;
        } catch (IOException failed) {
            file.close();
            throw failed;
        }
    }

    /** Where it is. */
    public Path path() {
        return file.path();
    }

    /**
     * Removes the socket, lets connections end within the grace period, and closes what is left. Blocks meanwhile. Idempotent.
     */
    public void close(Duration grace) {
        if (!stopping.compareAndSet(false, true)) {
            return;
        }
        file.close();
        selector.wakeup();
        countDownWhenEmpty();
        try {
            if (!empty.await(grace.toMillis(), TimeUnit.MILLISECONDS)) {
                open.forEach(LocalConnection::close);
            }
            // Forgets the connections, so that their files are closed.
            selector.wakeup();
            selector.close();
            thread.join(END_MAX.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (IOException failed) {
            LOG.warn("The socket {} did not end cleanly: {}", file.path(), failed.getMessage());
        }
    }

    private void countDownWhenEmpty() {
        if (stopping.get() && open.isEmpty()) {
            empty.countDown();
        }
    }

    private void serve() {
        boolean paused = false;
        while (selector.isOpen()) {
            try {
                selector.select(this::serve, paused ? PAUSE.toMillis() : 0);
                paused = false;
                acceptWithinLimit();
            } catch (ClosedSelectorException over) {
                return;
            } catch (CancelledKeyException over) {
                LOG.trace("The socket {} accepts no more.", file.path(), over);
            } catch (IOException | UncheckedIOException failed) {
                paused = true;
                if (accepting.isValid()) {
                    accepting.interestOps(0);
                }
                LOG.warn("The socket {} rests for a second: {}", file.path(), failed.getMessage());
            }
        }
    }

    private void serve(SelectionKey key) {
        if (!key.isValid()) {
            return;
        }
        if (key.attachment() instanceof LocalConnection connection) {
            connection.ready();
        } else {
            accept();
        }
    }

    private void acceptWithinLimit() {
        if (accepting.isValid()) {
            accepting.interestOps(open.size() < connectionsMax ? SelectionKey.OP_ACCEPT : 0);
        }
    }

    /** One only, so that the limit holds. */
    private void accept() {
        try {
            SocketChannel channel = file.channel().accept();
            if (channel != null) {
                begin(channel);
            }
        } catch (IOException failed) {
            if (!stopping.get()) {
                throw new UncheckedIOException(failed);
            }
        }
    }

    private void begin(SocketChannel channel) throws IOException {
        try {
            UserPrincipal user =
                    channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, 0);
            LocalConnection connection = new LocalConnection(channel, key);
            key.attach(connection);
            open.add(connection);
            connection.closed().thenAccept(done -> {
                open.remove(connection);
                countDownWhenEmpty();
                // There may be room for one that waits.
                selector.wakeup();
            });
            run(connection, user);
        } catch (IOException failed) {
            channel.close();
            LOG.debug("A connection to {} ended before it began: {}", file.path(), failed.getMessage());
        }
    }

    private void run(LocalConnection connection, UserPrincipal user) {
        try {
            service.apply(user)
                    .join(Flow.fromGraph(new ChannelStage(connection, LINGER)))
                    .run(system);
        } catch (RuntimeException ending) {
            LOG.debug("A connection to {} was not served: {}", file.path(), ending.getMessage());
            connection.close();
        }
    }
}
