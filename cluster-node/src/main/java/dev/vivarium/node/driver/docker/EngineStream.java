package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.guest.GuestStreams;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Demultiplexes the stream of an attached container: eight bytes (1 for stdout or 2 for stderr, three zeros, a
 * big-endian length), then that many bytes. The engine writes the headers, so a violation means that the peer is not an
 * engine.
 */
final class EngineStream implements GuestStreams {
    private static final int HEADER_BYTES = 8;
    private static final int LENGTH_AT = 4;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private long left;

    @Override
    public void split(ByteBuffer bytes, Sink sink) throws IOException {
        while (bytes.hasRemaining()) {
            if (left == 0) {
                readHeader(bytes);
            } else {
                pass(bytes, sink);
            }
        }
    }

    @Override
    public void end() throws IOException {
        if (left > 0 || (header.position() > 0 && header.hasRemaining())) {
            throw new IOException("the engine's stream ended in the middle of a message");
        }
    }

    private void readHeader(ByteBuffer bytes) throws IOException {
        if (!header.hasRemaining()) {
            header.clear();
        }
        while (header.hasRemaining() && bytes.hasRemaining()) {
            header.put(bytes.get());
        }
        if (header.hasRemaining()) {
            return;
        }
        int stream = header.get(0);
        if (stream != STDOUT && stream != STDERR) {
            throw new IOException("the engine sent a stream that was not requested");
        }
        left = Integer.toUnsignedLong(header.getInt(LENGTH_AT));
    }

    private void pass(ByteBuffer bytes, Sink sink) {
        int count = (int) Math.min(left, bytes.remaining());
        ByteBuffer piece = bytes.slice(bytes.position(), count);
        bytes.position(bytes.position() + count);
        left -= count;
        if (header.get(0) == STDOUT) {
            sink.stdout(piece);
        } else {
            sink.stderr(piece);
        }
    }
}
