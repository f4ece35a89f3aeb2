package dev.vivarium.node.http.server.http2;

import java.nio.ByteOrder;
import org.apache.pekko.util.ByteString;
import org.apache.pekko.util.ByteStringBuilder;

/**
 * A frame (RFC 9113, section 4.1).
 *
 * @param type its type, which may be one that nobody knows
 * @param flags its flags
 * @param stream its stream; 0 for the connection
 * @param payload what it carries
 */
record Frame(int type, int flags, int stream, ByteString payload) {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 0x1;
    static final int ACK = 0x1;
    static final int END_HEADERS = 0x4;
    static final int PADDED = 0x8;
    static final int PRIORITIZED = 0x20;

    static final int HEAD_BYTES = 9;
    /** The protocol's least; this side neither takes nor sends more. */
    static final int PAYLOAD_BYTES_MAX = 1 << 14;

    /** The largest flow-control window and stream number, and the bits that both have. */
    static final int MAX_31_BITS = Integer.MAX_VALUE;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    int unsigned(int offset) {
        return unsigned(payload, offset);
    }

    static int unsigned(ByteString bytes, int offset) {
        return ((bytes.apply(offset) & 0xff) << 24)
                | ((bytes.apply(offset + 1) & 0xff) << 16)
                | ((bytes.apply(offset + 2) & 0xff) << 8)
                | (bytes.apply(offset + 3) & 0xff);
    }

    /** What a padded or prioritized frame carries in fact (sections 6.1 and 6.2). */
    ByteString content() throws ConnectionError {
        int from = 0;
        int padding = 0;
        if (has(PADDED)) {
            from = 1;
            padding = payload.isEmpty() ? 0 : payload.apply(0) & 0xff;
        }
        if (type == HEADERS && has(PRIORITIZED)) {
            from += 5;
        }
        if (from + padding > payload.size()) {
            throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "A frame is shorter than its padding.");
        }
        return payload.slice(from, payload.size() - padding);
    }

    void writeTo(ByteStringBuilder out) {
        int size = payload.size();
        out.putByte((byte) (size >>> 16))
                .putByte((byte) (size >>> 8))
                .putByte((byte) size)
                .putByte((byte) type)
                .putByte((byte) flags)
                .putInt(stream, ByteOrder.BIG_ENDIAN)
                .append(payload);
    }

    static Frame of(int type, int flags, int stream, int number) {
        return new Frame(
                type,
                flags,
                stream,
                new ByteStringBuilder().putInt(number, ByteOrder.BIG_ENDIAN).result());
    }
}
