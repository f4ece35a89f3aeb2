package dev.vivarium.loadtests.subject;

import dev.vivarium.client.Credentials;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * A connection that submits the same run again and again, and reads of the answers no more than it must: the client of a
 * benchmark shares the processors with its node, and an HTTP library would take as much of them. One request at a time.
 */
public final class SubmittingConnection implements AutoCloseable {
    private static final int ANSWER_MILLIS_MAX = 30_000;
    private static final int LINE_BYTES_MAX = 8_192;
    private static final String LENGTH = "content-length:";

    private final Socket socket;
    private final InputStream in;
    private final byte[] request;

    private SubmittingConnection(Socket socket, byte[] request) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream(), LINE_BYTES_MAX);
        this.request = request;
    }

    /** Connects to a node. */
    public static SubmittingConnection to(URI node, Credentials credentials, Workload workload) throws IOException {
        byte[] body = workload.submission().toString().getBytes(StandardCharsets.UTF_8);
        String proof = credentials
                .token()
                .map(token -> "\r\nAuthorization: Bearer " + token)
                .orElse("");
        byte[] head = ("POST /v1/runs HTTP/1.1\r\nHost: " + node.getAuthority() + proof
                        + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = new byte[head.length + body.length];
        System.arraycopy(head, 0, request, 0, head.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        Socket socket = new Socket(node.getHost(), node.getPort());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(ANSWER_MILLIS_MAX);
        return new SubmittingConnection(socket, request);
    }

    /** Submits; returns the answer's status, 202 for an acknowledged run. */
    public int submit() throws IOException {
        socket.getOutputStream().write(request);
        String[] status = line().split(" ", 3);
        long length = -1;
        for (String header = line(); !header.isEmpty(); header = line()) {
            if (header.regionMatches(true, 0, LENGTH, 0, LENGTH.length())) {
                length = Long.parseLong(header.substring(LENGTH.length()).strip());
            }
        }
        if (length < 0 || status.length < 2) {
            throw new IOException("The node's answer to a submission has no status or no length.");
        }
        in.skipNBytes(length);
        return Integer.parseInt(status[1]);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0 || line.length() == LINE_BYTES_MAX) {
                throw new IOException("The node closed a connection, or what it says is not HTTP.");
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
