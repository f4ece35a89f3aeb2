package dev.vivarium.node.driver.guest;

import java.nio.ByteBuffer;

/**
 * A byte connection to a guest. Thread-safe; no call blocks. Data arrives on a thread shared by many connections, so a
 * receiver must not block.
 */
public interface GuestConnection {
    /** Receives data; calls are made one at a time and in order. */
    interface Receiver {
        /** Bytes in a buffer that will be reused. */
        void received(ByteBuffer bytes);

        /** The connection is closed; no more data follows. */
        void ended();
    }

    /** Starts reading. Call once. */
    void begin(Receiver receiver);

    /**
     * Writes the bytes after all earlier ones.
     *
     * @param done run when they were written or dropped
     */
    void write(ByteBuffer bytes, Runnable done);

    /** Stops reading until {@link #resume}, apart from what has been read already. */
    void pause();

    /** Continues reading. Idempotent. */
    void resume();

    /** Runs the task on the receiver's thread, between two of its calls. */
    void execute(Runnable task);

    /** Closes the connection; unwritten bytes are dropped. Idempotent. */
    void close();
}
