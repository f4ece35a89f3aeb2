package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.guest.Wire;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;

/** A guest that says what a test lets it say, at the other end of a connection to an engine that passes it on. */
final class ScriptedGuest implements Wire {
    private static final byte STDOUT = 1;

    private final Queue<ByteBuffer> said = new ArrayDeque<>();
    private long bytesRead;
    private boolean ended;

    /** The bytes of the frames, as the guest writes them. */
    static byte[] bytes(GuestFrame... frames) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (GuestFrame frame : frames) {
            ByteBuffer encoded = GuestCodec.encode(frame);
            byte[] copy = new byte[encoded.remaining()];
            encoded.get(copy);
            bytes.writeBytes(copy);
        }
        return bytes.toByteArray();
    }

    ScriptedGuest say(GuestFrame... frames) {
        return say(bytes(frames));
    }

    synchronized ScriptedGuest say(byte[] bytes) {
        said.add(ByteBuffer.allocate(8 + bytes.length)
                .put(STDOUT)
                .putInt(4, bytes.length)
                .put(8, bytes)
                .rewind());
        notifyAll();
        return this;
    }

    /** Says nothing more. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    synchronized long bytesRead() {
        return bytesRead;
    }

    @Override
    public synchronized int read(byte[] buffer, int offset, int length) throws IOException {
        try {
            while (said.isEmpty() && !ended) {
                wait();
            }
        } catch (InterruptedException interrupted) {
            throw new IOException(interrupted);
        }
        ByteBuffer next = said.peek();
        if (next == null) {
            return -1;
        }
        int count = Math.min(length, next.remaining());
        next.get(buffer, offset, count);
        bytesRead += count;
        if (!next.hasRemaining()) {
            said.remove();
        }
        return count;
    }

    @Override
    public void write(ByteBuffer bytes) {
        bytes.position(bytes.limit());
    }

    @Override
    public synchronized void close() {
        said.clear();
        end();
    }
}
