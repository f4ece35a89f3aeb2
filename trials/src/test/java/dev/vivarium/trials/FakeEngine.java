package dev.vivarium.trials;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A container engine's socket with two answers: the list of containers, and the created ones. */
final class FakeEngine implements AutoCloseable {
    private final ServerSocketChannel server;
    private final Path socket;
    private final List<SocketChannel> open = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile String containers = "[]";

    FakeEngine(Path folder) throws IOException {
        socket = folder.resolve("engine.sock");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread acceptor = new Thread(this::serve, "fake-engine");
        acceptor.setDaemon(true);
        acceptor.start();
    }

    String host() {
        return "unix://" + socket;
    }

    void contains(String containersJson) {
        containers = containersJson;
    }

    List<String> requests() {
        return requests;
    }

    private void serve() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                ByteBuffer request = ByteBuffer.allocate(8_192);
                client.read(request);
                String line = new String(request.array(), 0, request.position(), StandardCharsets.US_ASCII)
                        .lines()
                        .findFirst()
                        .orElse("");
                requests.add(line);
                write(client, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n");
                if (line.startsWith("GET /events")) {
                    open.add(client);
                    write(client, "{\"id\":\"made-and-gone\"}\n");
                } else {
                    write(client, containers);
                    client.close();
                }
            }
        } catch (IOException closed) {
            // By close().
        }
    }

    private static void write(SocketChannel client, String text) throws IOException {
        client.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel client : open) {
            client.close();
        }
    }
}
