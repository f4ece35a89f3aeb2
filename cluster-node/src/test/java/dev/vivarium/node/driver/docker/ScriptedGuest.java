package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.guest.GuestConnection;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** A guest that sends what a test has it send, at the other end of a connection through the engine. */
final class ScriptedGuest implements GuestConnection {
    private static final byte STDOUT = 1;
    private static final int READ_BYTES_MAX = 8 * 1024;

    private final ExecutorService loop = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "scripted-guest");
        thread.setDaemon(true);
        return thread;
    });
    private final Queue<ByteBuffer> said = new ArrayDeque<>();
    private Receiver receiver;
    private boolean reading;
    private boolean ended;
    private boolean endTold;
    private final AtomicLong bytesRead = new AtomicLong();

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

    ScriptedGuest say(byte[] bytes) {
        ByteBuffer message = ByteBuffer.allocate(8 + bytes.length)
                .put(STDOUT)
                .putInt(4, bytes.length)
                .put(8, bytes)
                .rewind();
        loop.execute(() -> {
            said.add(message);
            readOn();
        });
        return this;
    }

    /** Closes the guest's side: it sends nothing more. */
    void end() {
        loop.execute(() -> {
            ended = true;
            readOn();
        });
    }

    long bytesRead() {
        return bytesRead.get();
    }

    @Override
    public void begin(Receiver newReceiver) {
        loop.execute(() -> {
            receiver = newReceiver;
            reading = true;
            readOn();
        });
    }

    /** Delivers one buffer at a time, so that pauses and writes between two buffers take effect in between. */
    private void readOn() {
        ByteBuffer next = said.peek();
        if (!reading || receiver == null || endTold) {
            return;
        }
        if (next == null) {
            if (ended) {
                endTold = true;
                receiver.ended();
            }
            return;
        }
        int count = Math.min(READ_BYTES_MAX, next.remaining());
        ByteBuffer buffer = next.slice(next.position(), count);
        next.position(next.position() + count);
        bytesRead.addAndGet(count);
        if (!next.hasRemaining()) {
            said.remove();
        }
        receiver.received(buffer);
        loop.execute(this::readOn);
    }

    @Override
    public void write(ByteBuffer bytes, Runnable done) {
        done.run();
    }

    @Override
    public void pause() {
        reading = false;
    }

    @Override
    public void resume() {
        if (!reading) {
            reading = true;
            loop.execute(this::readOn);
        }
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(task);
    }

    @Override
    public void close() {
        loop.execute(() -> {
            said.clear();
            ended = true;
            readOn();
        });
    }
}
