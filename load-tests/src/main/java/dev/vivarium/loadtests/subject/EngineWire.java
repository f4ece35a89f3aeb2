package dev.vivarium.loadtests.subject;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * One exchange with the container engine over a plain socket, so that the baseline has no client library's overhead.
 * HTTP/1.0, so that an answer ends with the connection.
 */
final class EngineWire implements Closeable {
    private static final int PORT_DEFAULT = 2375;
    private static final int HEAD_BYTES_MAX = 64 << 10;

    private final SocketChannel channel;
    private final InputStream answer;
    private final int status;

    /** Sends a request and reads the head of its answer. */
    static EngineWire exchange(URI address, String method, String path, String headers, byte[] body)
            throws IOException {
        SocketChannel channel = connect(address);
        try {
            return new EngineWire(channel, method + " " + path, headers, body);
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
    }

    private EngineWire(SocketChannel channel, String call, String headers, byte[] body) throws IOException {
        this.channel = channel;
        String version = headers.contains("Upgrade") ? "1.1" : "1.0";
        String head = call + " HTTP/" + version + "\r\nHost: engine\r\n" + headers + "Content-Length: " + body.length
                + "\r\n\r\n";
        ByteBuffer request = ByteBuffer.allocate(head.length() + body.length)
                .put(head.getBytes(StandardCharsets.US_ASCII))
                .put(body)
                .flip();
        while (request.hasRemaining()) {
            channel.write(request);
        }
        this.answer = new BufferedInputStream(Channels.newInputStream(channel));
        this.status = status(readHead(answer), call);
    }

    private static SocketChannel connect(URI address) throws IOException {
        if (!"unix".equals(address.getScheme())) {
            return SocketChannel.open(
                    new InetSocketAddress(address.getHost(), address.getPort() < 0 ? PORT_DEFAULT : address.getPort()));
        }
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(address.getPath()));
            return channel;
        } catch (IOException failure) {
            channel.close();
            throw new IOException("The container engine does not answer at " + address + ".", failure);
        }
    }

    private static String readHead(InputStream answer) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!(head.length() >= 4 && head.substring(head.length() - 4).equals("\r\n\r\n"))) {
            int next = answer.read();
            if (next < 0 || head.length() > HEAD_BYTES_MAX) {
                throw new IOException("The container engine answers no HTTP.");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private static int status(String head, String call) throws IOException {
        String[] words = head.split(" ", 3);
        if (words.length < 3 || !words[0].startsWith("HTTP/") || !words[1].matches("\\d{3}")) {
            throw new IOException("The container engine answers no HTTP to " + call + ".");
        }
        return Integer.parseInt(words[1]);
    }

    int status() {
        return status;
    }

    /** What follows the head, up to the end of the connection. */
    InputStream answer() {
        return answer;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
