package dev.vivarium.node.cli.quickstart;

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
import java.util.Map;

/**
 * Reads from the container engine's API with nothing but a socket, so that the count of what is left shares no code
 * with the driver that should have left nothing. HTTP/1.0, so that an answer ends where the connection does.
 *
 * @param address where the engine listens: {@code unix:///var/run/docker.sock} or {@code tcp://host:2375}
 */
record EngineSocket(URI address) {
    private static final String DEFAULT = "unix:///var/run/docker.sock";
    private static final int PORT_DEFAULT = 2375;
    private static final int HEAD_BYTES_MAX = 64 << 10;

    /** The engine that this environment names. */
    static EngineSocket of(Map<String, String> environment) {
        String named = environment.getOrDefault("DOCKER_HOST", "");
        return new EngineSocket(URI.create(named.isEmpty() ? DEFAULT : named));
    }

    /** Whether the engine is on this machine, so that its processes are in this machine's /proc. */
    boolean isLocal() {
        return "unix".equals(address.getScheme());
    }

    /** The body of the answer to a GET; the caller closes it. */
    InputStream get(String path, Map<String, String> query) throws IOException {
        StringBuilder target = new StringBuilder(path);
        char separator = '?';
        for (Map.Entry<String, String> entry : query.entrySet()) {
            target.append(separator)
                    .append(entry.getKey())
                    .append('=')
                    .append(URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8));
            separator = '&';
        }
        SocketChannel channel = open();
        try {
            channel.write(ByteBuffer.wrap(
                    ("GET " + target + " HTTP/1.0\r\nHost: engine\r\n\r\n").getBytes(StandardCharsets.US_ASCII)));
            InputStream answer = new BufferedInputStream(Channels.newInputStream(channel));
            requireOk(answer);
            return answer;
        } catch (IOException failure) {
            channel.close();
            throw failure;
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
    private void requireOk(InputStream answer) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = answer.read();
            if (next < 0 || head.length() > HEAD_BYTES_MAX) {
                throw new IOException("The container engine at " + address + " answers no HTTP.");
            }
            head.append((char) next);
        }
        String status = head.substring(0, head.indexOf("\r\n"));
        if (!status.contains(" 200 ")) {
            throw new IOException("The container engine at " + address + " answers: " + status);
        }
    }
}
