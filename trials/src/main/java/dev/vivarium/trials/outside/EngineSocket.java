package dev.vivarium.trials.outside;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A client of the container engine's API over a bare socket, so that the count of leftovers shares no code with the
 * driver. HTTP/1.0, so that an answer ends with the connection.
 *
 * @param address the engine's address: {@code unix:///var/run/docker.sock} or {@code tcp://host:2375}
 */
public record EngineSocket(URI address) {
    private static final String DEFAULT = "unix:///var/run/docker.sock";
    private static final int PORT_DEFAULT = 2375;
    private static final int HEAD_BYTES_MAX = 64 << 10;

    /** The engine named by this environment. */
    public static EngineSocket of(Map<String, String> environment) {
        String named = environment.getOrDefault("DOCKER_HOST", "");
        return new EngineSocket(URI.create(named.isEmpty() ? DEFAULT : named));
    }

    /** Whether the engine is on this machine, so that its processes are in this machine's /proc. */
    boolean isLocal() {
        return "unix".equals(address.getScheme());
    }

    /** The body of the answer to a GET; the caller closes it. */
    InputStream get(String path, Map<String, String> query) throws IOException {
        return ask("GET", target(path, List.copyOf(query.entrySet())), "", new byte[0]);
    }

    /** Sends a body, or none, and reads the whole answer. */
    public byte[] send(
            String method, String path, List<Map.Entry<String, String>> query, String contentType, byte[] body)
            throws IOException {
        try (InputStream answer = ask(method, target(path, query), contentType, body)) {
            return answer.readAllBytes();
        }
    }

    private static String target(String path, List<Map.Entry<String, String>> query) {
        return path
                + query.stream()
                        .map(entry ->
                                entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&", query.isEmpty() ? "" : "?", ""));
    }

    private InputStream ask(String method, String target, String contentType, byte[] body) throws IOException {
        String head = method + " " + target + " HTTP/1.0\r\nHost: engine\r\n"
                + (body.length == 0
                        ? ""
                        : "Content-Type: " + contentType + "\r\nContent-Length: " + body.length + "\r\n")
                + "\r\n";
        SocketChannel channel = open();
        try {
            write(channel, ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)));
            write(channel, ByteBuffer.wrap(body));
            InputStream answer = new BufferedInputStream(Channels.newInputStream(channel));
            requireOk(answer, method + " " + target);
            return answer;
        } catch (IOException failure) {
            channel.close();
            throw failure;
        }
    }

    private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private SocketChannel open() throws IOException {
        if (isLocal()) {
            SocketAddress socket = UnixDomainSocketAddress.of(address.getPath());
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(socket);
                return channel;
            } catch (IOException failure) {
                channel.close();
                throw new IOException("The container engine does not answer at " + address + ".", failure);
            }
        }
        return SocketChannel.open(
                new InetSocketAddress(address.getHost(), address.getPort() < 0 ? PORT_DEFAULT : address.getPort()));
    }

    /** Reads the head of an answer. */
    private void requireOk(InputStream answer, String request) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = answer.read();
            if (next < 0 || head.length() > HEAD_BYTES_MAX) {
                throw new IOException("The container engine at " + address + " answers no HTTP.");
            }
            head.append((char) next);
        }
        String status = head.substring(0, head.indexOf("\r\n"));
        if (!status.matches("HTTP/1\\.[01] 2\\d\\d .*")) {
            String why = new String(answer.readNBytes(HEAD_BYTES_MAX), StandardCharsets.UTF_8);
            throw new IOException(
                    "The container engine at " + address + " answers " + request + " with " + status + ": " + why);
        }
    }
}
