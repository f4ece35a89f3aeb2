package dev.vivarium.node.driver.docker;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A proxy in front of the real engine, so that a test can make it unreachable or silent without touching it. */
final class EngineProxy implements Closeable {
    private static final Path ENGINE = Path.of("/var/run/docker.sock");

    private final ServerSocketChannel server;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final URI uri;
    private volatile boolean refusing;
    private volatile boolean silent;

    private EngineProxy(ServerSocketChannel server, URI uri) {
        this.server = server;
        this.uri = uri;
        daemon(this::accept);
    }

    static EngineProxy unix(Path folder) throws IOException {
        Path path = folder.resolve("engine.sock");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        return new EngineProxy(server, URI.create("unix://" + path));
    }

    static EngineProxy tcp() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        SocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server.bind(address);
        int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
        return new EngineProxy(server, URI.create("tcp://127.0.0.1:" + port));
    }

    URI uri() {
        return uri;
    }

    /** Breaks every connection; new ones are closed as soon as they are accepted. */
    void cut() throws IOException {
        refusing = true;
        for (SocketChannel channel : open) {
            channel.close();
        }
    }

    /** Stops forwarding without closing any connection. */
    void silence() {
        silent = true;
    }

    void resume() {
        refusing = false;
        silent = false;
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                if (refusing) {
                    client.close();
                    continue;
                }
                SocketChannel engine = SocketChannel.open(UnixDomainSocketAddress.of(ENGINE));
                open.add(client);
                open.add(engine);
                daemon(() -> pump(client, engine));
                daemon(() -> pump(engine, client));
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void pump(SocketChannel from, SocketChannel to) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try (from;
                to) {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (!silent && buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException closed) {
            // Its other end is closed with it.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "engine-proxy");
        thread.setDaemon(true);
        thread.start();
    }
}
