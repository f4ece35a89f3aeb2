package dev.vivarium.node.driver.guest;

import java.nio.ByteBuffer;

/**
 * One byte connection to a guest. Safe for use by any thread, and no call blocks. What arrives is handed over on one thread
 * that many connections share, so a receiver may not block it.
 */
public interface GuestConnection {
    /** Takes what arrives; calls come one at a time and in order. */
    interface Receiver {
        /** Some bytes, in a buffer that is used again. */
        void received(ByteBuffer bytes);

        /** Nothing more comes; the connection is closed. */
        void ended();
    }

    /** Begins to read. Called once. */
    void begin(Receiver receiver);

    /**
     * Writes the bytes after all those before them.
     *
     * @param done run when they have been written, or never will be
     */
    void write(ByteBuffer bytes, Runnable done);

    /** Reads no more than what has been read already, until {@link #resume}. */
    void pause();

    /** Goes on reading. Idempotent. */
    void resume();

    /** Runs the task on the thread of the receiver, between two of its calls. */
    void execute(Runnable task);

    /** Closes the connection; what was not written is dropped. Idempotent. */
    void close();
}
