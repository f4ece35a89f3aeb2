package dev.vivarium.node.http.server.http2;

import java.util.Optional;
import org.apache.pekko.util.ByteString;

/** Takes what a client sends apart into frames. Holds less than two of them. */
final class FrameReader {
    /** What each client sends first (RFC 9113, section 3.4). */
    static final ByteString PREFACE = ByteString.fromString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private static final int SMALL_BYTES = 1 << 10;

    private ByteString unread = ByteString.emptyByteString();
    private boolean begun;

    void add(ByteString bytes) {
        ByteString both = unread.concat(bytes);
        // One byte at a time would take a hundred bytes of memory each.
        unread = bytes.size() < SMALL_BYTES ? both.compact() : both;
    }

    /** The next frame, if it is here to its end. */
    Optional<Frame> next() throws ConnectionError {
        if (!begun && !begin()) {
            return Optional.empty();
        }
        if (unread.size() < Frame.HEAD_BYTES) {
            return Optional.empty();
        }
        int size = Frame.unsigned(unread, 0) >>> 8;
        if (size > Frame.PAYLOAD_BYTES_MAX) {
            throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "A frame is larger than 16 KiB.");
        }
        int end = Frame.HEAD_BYTES + size;
        if (unread.size() < end) {
            return Optional.empty();
        }
        Frame frame = new Frame(
                unread.apply(3) & 0xff,
                unread.apply(4) & 0xff,
                Frame.unsigned(unread, 5) & Frame.MAX_31_BITS,
                unread.slice(Frame.HEAD_BYTES, end));
        unread = unread.drop(end);
        return Optional.of(frame);
    }

    private boolean begin() throws ConnectionError {
        int here = Math.min(unread.size(), PREFACE.size());
        if (!unread.take(here).equals(PREFACE.take(here))) {
            throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "The connection does not begin as HTTP/2 does.");
        }
        if (here < PREFACE.size()) {
            return false;
        }
        unread = unread.drop(here);
        begun = true;
        return true;
    }
}
