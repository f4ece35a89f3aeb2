package dev.vivarium.node.driver.docker;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Takes apart the stream of an attached container: eight bytes (1 for stdout or 2 for stderr, three zeros, a big-endian
 * length), then so many bytes of that stream. The engine writes it, so a violation means that the engine is not one.
 */
final class EngineStream {
    private static final int HEADER_BYTES = 8;
    private static final int BUFFER_BYTES = 8 * 1024;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    private final Wire wire;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final ByteBuffer unread = ByteBuffer.wrap(buffer).limit(0);

    EngineStream(Wire wire) {
        this.wire = wire;
    }

    /** Hears the bytes of both streams in the order in which the engine had them. The buffer is reused. */
    interface Sink {
        void stdout(ByteBuffer bytes);

        void stderr(ByteBuffer bytes);
    }

    /** Reads until the stream ends between two messages. */
    void readAll(Sink sink) throws IOException {
        while (fill(HEADER_BYTES)) {
            int stream = unread.get();
            unread.position(unread.position() + 3);
            long length = Integer.toUnsignedLong(unread.getInt());
            if (stream != STDOUT && stream != STDERR) {
                throw new IOException("the engine sent a stream that nobody asked for");
            }
            pass(stream, length, sink);
        }
    }

    private void pass(int stream, long length, Sink sink) throws IOException {
        long left = length;
        while (left > 0) {
            if (!fill(1)) {
                throw new IOException("the engine's stream ended in the middle of a message");
            }
            int count = (int) Math.min(left, unread.remaining());
            ByteBuffer piece = unread.slice(unread.position(), count);
            unread.position(unread.position() + count);
            left -= count;
            if (stream == STDOUT) {
                sink.stdout(piece);
            } else {
                sink.stderr(piece);
            }
        }
    }

    /** Sees to it that so many bytes are unread; false when the stream ended before the first of them. */
    private boolean fill(int wanted) throws IOException {
        if (unread.remaining() >= wanted) {
            return true;
        }
        unread.compact().flip();
        while (unread.remaining() < wanted) {
            int count = wire.read(buffer, unread.limit(), buffer.length - unread.limit());
            if (count < 0) {
                if (unread.hasRemaining()) {
                    throw new IOException("the engine's stream ended in the middle of a message");
                }
                return false;
            }
            unread.limit(unread.limit() + count);
        }
        return true;
    }
}
