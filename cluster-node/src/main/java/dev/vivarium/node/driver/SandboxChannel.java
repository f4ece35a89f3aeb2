package dev.vivarium.node.driver;

import dev.vivarium.protocol.guest.NodeFrame;

/** The node's end of the one channel to a guest. Safe for use by any thread; no call blocks. */
public interface SandboxChannel {
    /**
     * Sends a frame, after all those sent before. Frames to a closed channel are dropped: its end has been, or will be,
     * told to the listener.
     *
     * @throws IllegalArgumentException when the frame cannot be sent, or starts a process under a number that is in use
     * @throws IllegalStateException when more bytes wait to be sent than the channel's limit allows
     */
    void send(NodeFrame frame);

    /**
     * Says that the listener has dealt with one more frame. Only so many frames are handed over unconfirmed; then
     * the channel stops reading, so that a guest that floods is slowed down and not the node.
     */
    void confirm();

    /** Closes the channel; the guest then kills everything and exits. Idempotent. */
    void close();
}
