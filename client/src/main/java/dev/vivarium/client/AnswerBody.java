package dev.vivarium.client;

import dev.vivarium.client.AnswerHead.Framing;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What comes over a connection: the head of an answer, and then the bytes of its body, as a stream that fails when the connection ends
 * before the body does. Closing it closes the connection.
 */
final class AnswerBody extends InputStream {
    private static final int BUFFER_BYTES = 16 << 10;
    private static final int CHUNK_LINE_BYTES_MAX = 1 << 10;
    /** The size of a chunk; extensions are passed over. */
    private static final Pattern CHUNK = Pattern.compile("([0-9A-Fa-f]{1,15})[ \\t]*(;.*)?");

    private final SocketConnection connection;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).flip();
    private Framing framing = Framing.NONE;
    /** Of the chunk, or of the body: how many bytes are still to come. */
    private long left;
    /** Whether a chunk was read whose end is still to come. */
    private boolean inChunks;

    AnswerBody(SocketConnection connection) {
        this.connection = connection;
    }

    /** A line without its end. */
    String line(int bytesMax) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = next(); next != '\n'; next = next()) {
            if (next < 0) {
                throw cutOff();
            }
            if (line.length() >= bytesMax) {
                throw new IOException("the head of the answer is too long");
            }
            line.append((char) next);
        }
        int end = line.length() - 1;
        if (end >= 0 && line.charAt(end) == '\r') {
            line.setLength(end);
        }
        return line.toString();
    }

    private int next() throws IOException {
        return fill() ? buffer.get() & 0xff : -1;
    }

    /** Whether there are bytes in the buffer, after it was filled if it was empty. */
    private boolean fill() throws IOException {
        if (buffer.hasRemaining()) {
            return true;
        }
        buffer.clear();
        int count = connection.read(buffer);
        buffer.flip();
        return count > 0;
    }

    /** Reads the body of this head from now on. */
    void begin(AnswerHead head) throws IOException {
        framing = head.framing();
        left = framing == Framing.LENGTH ? head.length().orElse(0) : 0;
        if (framing == Framing.LENGTH && left == 0) {
            framing = Framing.NONE;
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (framing == Framing.CHUNKED && left == 0) {
            beginChunk();
        }
        if (framing == Framing.NONE) {
            return -1;
        }
        if (!fill()) {
            if (framing == Framing.CONNECTION) {
                framing = Framing.NONE;
                return -1;
            }
            throw cutOff();
        }
        int count = Math.min(length, buffer.remaining());
        if (framing != Framing.CONNECTION) {
            count = (int) Math.min(count, left);
            left -= count;
        }
        buffer.get(into, offset, count);
        if (framing == Framing.LENGTH && left == 0) {
            framing = Framing.NONE;
        }
        return count;
    }

    private void beginChunk() throws IOException {
        if (inChunks && !line(2).isEmpty()) {
            throw new IOException("a part of the answer is longer than it says");
        }
        inChunks = true;
        Matcher size = CHUNK.matcher(line(CHUNK_LINE_BYTES_MAX));
        if (!size.matches()) {
            throw new IOException("a part of the answer has no length");
        }
        left = Long.parseLong(size.group(1), 16);
        if (left == 0) {
            passTrailers();
            framing = Framing.NONE;
        }
    }

    private void passTrailers() throws IOException {
        int most = AnswerHead.HEADERS_MAX;
        while (!line(CHUNK_LINE_BYTES_MAX).isEmpty()) {
            if (--most < 0) {
                throw new IOException("the answer has more than " + AnswerHead.HEADERS_MAX + " trailers");
            }
        }
    }

    private static EOFException cutOff() {
        return new EOFException("the connection ended before the answer did");
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
