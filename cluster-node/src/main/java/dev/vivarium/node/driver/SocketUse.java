package dev.vivarium.node.driver;

/**
 * What one sandbox has in the queues of its sockets of TCP and UDP.
 *
 * @param chargedBytes what its control group counts
 * @param heldBytes what the sockets say that they hold
 */
public record SocketUse(long chargedBytes, long heldBytes) {
    /**
     * What the kernel charges to nobody: the queues of connections until they are accepted, and of errors, into which a program
     * may have a copy put of each packet that it sends.
     */
    public long unchargedBytes() {
        return Math.max(0, heldBytes - chargedBytes);
    }

    /** All of it. */
    public long bytes() {
        return Math.max(chargedBytes, heldBytes);
    }
}
