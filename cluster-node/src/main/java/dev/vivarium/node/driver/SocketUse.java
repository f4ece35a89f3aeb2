package dev.vivarium.node.driver;

/**
 * What one sandbox has in the queues of its sockets of TCP and UDP.
 *
 * @param chargedBytes what its control group counts
 * @param heldBytes what the sockets say that they hold
 */
public record SocketUse(long chargedBytes, long heldBytes) {
    /**
     * What no control group is charged for: connections that have not been accepted, and error queues, in which a program can
     * have the kernel put a copy of each packet that it sends.
     */
    public long unchargedBytes() {
        return Math.max(0, heldBytes - chargedBytes);
    }

    /** All of it. */
    public long bytes() {
        return Math.max(chargedBytes, heldBytes);
    }
}
