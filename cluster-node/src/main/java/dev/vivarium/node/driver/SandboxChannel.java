package dev.vivarium.node.driver;

import dev.vivarium.protocol.guest.NodeFrame;

/** The node's end of the channel to a guest. Thread-safe; no call blocks. */
public interface SandboxChannel {
    /**
     * Sends a frame after all earlier ones. Frames to a closed channel are dropped; the listener is notified of the
     * end.
     *
     * @throws IllegalArgumentException when the frame is invalid, or starts a process with a number in use
     * @throws IllegalStateException when more bytes would wait than the channel's limit
     */
    void send(NodeFrame frame);

    /**
     * Confirms that the listener has handled one more frame. The number of unconfirmed frames is limited; at the limit
     * the channel stops reading, so that a flooding guest is slowed down rather than the node.
     */
    void confirm();

    /** Closes the channel; the guest then kills all processes and exits. Idempotent. */
    void close();
}
