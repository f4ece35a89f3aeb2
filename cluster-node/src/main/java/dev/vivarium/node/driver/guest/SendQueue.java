package dev.vivarium.node.driver.guest;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/** What waits to be sent to a sandbox, limited in bytes. */
final class SendQueue {
    private final int bytesMax;
    private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private boolean closed;

    SendQueue(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Adds the bytes, or drops them when the queue is closed. */
    synchronized void add(ByteBuffer bytes) {
        if (closed) {
            return;
        }
        if (bytes.remaining() > bytesMax - waitingBytes) {
            throw new IllegalStateException("More than " + bytesMax
                    + " bytes would wait for the sandbox: it does not read, or its owner does not wait for answers.");
        }
        waitingBytes += bytes.remaining();
        waiting.add(bytes);
        notifyAll();
    }

    /** Waits for the next bytes; empty when the queue is closed. They count as waiting until {@link #sent}. */
    synchronized Optional<ByteBuffer> next() throws InterruptedException {
        while (waiting.isEmpty() && !closed) {
            wait();
        }
        return closed ? Optional.empty() : Optional.ofNullable(waiting.poll());
    }

    synchronized void sent(int bytes) {
        waitingBytes -= bytes;
    }

    synchronized void close() {
        closed = true;
        // Frames may carry secrets and large files: they are not kept for a channel that nobody reads.
        waiting.clear();
        notifyAll();
    }
}
