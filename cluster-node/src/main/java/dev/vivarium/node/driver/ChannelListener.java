package dev.vivarium.node.driver;

import dev.vivarium.protocol.guest.GuestFrame;

/** Receives what comes out of a sandbox. Calls are made one at a time and in order; none may block. */
public interface ChannelListener {
    /** A frame of the guest; well-formed, but its content is not trusted. */
    void onFrame(GuestFrame frame);

    /**
     * The channel has ended. Called once, after the last frame.
     *
     * @param why for the log and the run's history
     */
    void onClosed(ClosedBecause why);

    /**
     * Why a channel ended.
     *
     * @param cause what ended it
     * @param detail one line for operators
     */
    record ClosedBecause(Cause cause, String detail) {}

    /** What ended the channel. */
    enum Cause {
        /** The sandbox ended: its guest exited or was killed. */
        SANDBOX_ENDED,
        /** The sandbox ended because its own kernel or its guest was killed for lack of memory. */
        OUT_OF_MEMORY,
        /** The connection to the engine broke, or the engine died. */
        ENGINE_LOST,
        /** The guest violated the protocol. */
        PROTOCOL_VIOLATED,
        /** The node closed it. */
        CLOSED_HERE
    }
}
