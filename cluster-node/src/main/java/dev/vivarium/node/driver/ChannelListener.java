package dev.vivarium.node.driver;

import dev.vivarium.protocol.guest.GuestFrame;

/** Hears what comes out of a sandbox. Calls come one at a time and in order; none may block. */
public interface ChannelListener {
    /** A frame of the guest; well formed, and not to be trusted in what it says. */
    void onFrame(GuestFrame frame);

    /**
     * Nothing more will come. Called once, after the last frame.
     *
     * @param why for the log and the run's history
     */
    void onClosed(ClosedBecause why);

    /**
     * Why a channel ended.
     *
     * @param cause who ended it
     * @param detail one line for operators
     */
    record ClosedBecause(Cause cause, String detail) {}

    /** Who ended the channel. */
    enum Cause {
        /** The sandbox ended: its guest exited or was killed. */
        SANDBOX_ENDED,
        /** The sandbox ended because the kernel killed in it for memory: its own kernel, or its guest. */
        OUT_OF_MEMORY,
        /** The connection to the engine broke, or the engine died. */
        ENGINE_LOST,
        /** The guest sent what no guest sends. */
        PROTOCOL_VIOLATED,
        /** This side closed it. */
        CLOSED_HERE
    }
}
