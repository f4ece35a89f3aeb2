package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.exception.DockerException;
import dev.vivarium.node.driver.guest.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one HTTP exchange that turns a connection to the engine into a container's byte stream. */
final class AttachRequest {
    private static final int HEAD_BYTES_MAX = 16 * 1024;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3})(?: [^\\r\\n]*)?\\r\\n");

    private AttachRequest() {}

    /** Closes the connection when the engine does not agree. */
    static Wire open(Wire wire, ApiVersion api, String containerId) throws IOException {
        boolean open = false;
        try {
            String request = "POST /v" + api + "/containers/" + containerId
                    + "/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
                    + "Host: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
            wire.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
            requireSwitched(readHead(wire));
            open = true;
            return wire;
        } finally {
            if (!open) {
                wire.close();
            }
        }
    }

    /** Reads up to the empty line and no further: what follows belongs to the container. */
    private static String readHead(Wire wire) throws IOException {
        StringBuilder head = new StringBuilder(256);
        byte[] one = new byte[1];
        while (head.length() < HEAD_BYTES_MAX) {
            wire.readFully(one, 0, 1);
            head.append((char) (one[0] & 0xff));
            if (one[0] == '\n'
                    && head.length() >= 4
                    && "\r\n\r\n".contentEquals(head.subSequence(head.length() - 4, head.length()))) {
                return head.toString();
            }
        }
        throw new IOException("the engine's answer has no end");
    }

    private static void requireSwitched(String head) throws IOException {
        Matcher status = STATUS.matcher(head);
        if (!status.lookingAt()) {
            throw new IOException("the engine's answer is not HTTP");
        }
        int code = Integer.parseInt(status.group(1));
        if (code != SWITCHING_PROTOCOLS) {
            throw new DockerException("the channel was not opened (HTTP status " + code + ")", code);
        }
    }
}
