package dev.vivarium.node.http.server.http2;

import java.io.ByteArrayOutputStream;
import org.apache.pekko.util.ByteString;

/** A body's bytes that nobody has taken yet. Takes as much memory as there are bytes, in however small pieces they come. */
final class ReceivedBytes {
    private static final int SMALL_BYTES = 1 << 10;

    private ByteString bytes = ByteString.emptyByteString();
    private final ByteArrayOutputStream small = new ByteArrayOutputStream(0);

    int size() {
        return bytes.size() + small.size();
    }

    void add(ByteString more) {
        // A copy, since a slice would keep the record of TLS that it was a part of.
        byte[] copy = more.toArray();
        if (copy.length < SMALL_BYTES) {
            small.write(copy, 0, copy.length);
            if (small.size() >= Frame.PAYLOAD_BYTES_MAX) {
                collect();
            }
        } else {
            collect();
            bytes = bytes.concat(ByteString.fromArrayUnsafe(copy));
        }
    }

    ByteString take(int max) {
        collect();
        ByteString taken = bytes.take(max);
        bytes = bytes.drop(max);
        return taken;
    }

    private void collect() {
        if (small.size() > 0) {
            bytes = bytes.concat(ByteString.fromArrayUnsafe(small.toByteArray()));
            small.reset();
        }
    }
}
