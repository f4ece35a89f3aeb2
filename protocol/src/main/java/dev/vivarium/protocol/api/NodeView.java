package dev.vivarium.protocol.api;

import java.util.OptionalLong;

/**
 * A node of the cluster, as it has told of itself last.
 *
 * @param name its name, which stands in events
 * @param address where it is in the cluster, {@code host:port}
 * @param intake whether it takes new runs
 * @param capacity what it has for runs
 * @param taken what those runs hold that have a place on it
 * @param waiting how many runs wait for a place on it
 * @param waitingMax the most that it lets wait
 * @param shards how many shards it holds
 */
public record NodeView(
        String name,
        String address,
        Intake intake,
        Room capacity,
        Room taken,
        int waiting,
        int waitingMax,
        int shards) {
    /** Whether a node takes new runs. */
    public enum Intake {
        OPEN,
        CLOSED
    }

    /**
     * Room for runs, or what they hold of it.
     *
     * @param runs how many
     * @param memoryBytes their memory and disk together; empty when it is not limited
     * @param millicores processors, in thousandths; empty when they are not limited
     */
    public record Room(long runs, OptionalLong memoryBytes, OptionalLong millicores) {}
}
