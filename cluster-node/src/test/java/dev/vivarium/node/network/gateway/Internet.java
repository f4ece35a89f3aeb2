package dev.vivarium.node.network.gateway;

import com.google.common.net.InetAddresses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A server on the internet, on loopback, that is spoken to with plain sockets. */
final class Internet implements AutoCloseable {
    /** What the server does with a connection. */
    interface Conversation {
        void hold(Socket socket) throws IOException;
    }

    private final ServerSocket listener;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile Conversation conversation = socket -> {
        while (true) {
            String head = head(socket.getInputStream());
            requests.add(head);
            write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\nX-Outside: yes\r\n\r\nhello");
        }
    };

    Internet() throws IOException {
        this(new ServerSocket());
    }

    /** @param listener that is not bound yet */
    Internet(ServerSocket listener) throws IOException {
        this.listener = listener;
        listener.bind(new InetSocketAddress(InetAddresses.forString("127.0.0.1"), 0));
        var unused = threads.submit(this::accept);
    }

    private Void accept() throws IOException {
        while (true) {
            Socket socket = listener.accept();
            var unused = threads.submit(() -> {
                try (socket) {
                    conversation.hold(socket);
                } catch (IOException ended) {
                    // by the other side, or by the test
                }
                return null;
            });
        }
    }

    void heard(String request) {
        requests.add(request);
    }

    void converses(Conversation other) {
        conversation = other;
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    /** The heads of requests, and the bodies of those that came with a length. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Reads up to and with the empty line; fails at the end of the stream. */
    static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("The stream ended within a head: " + head);
            }
            head.write(next);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        threads.shutdownNow();
    }
}
