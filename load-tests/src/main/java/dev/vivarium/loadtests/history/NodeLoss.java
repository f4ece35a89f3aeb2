package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A time in which a node cannot look after its sandboxes.
 *
 * @param node the node's name
 * @param cause the reason
 * @param from when it began
 * @param until when the node came back; empty if it did not
 */
public record NodeLoss(String node, Cause cause, Instant from, Optional<Instant> until) {
    /** Why a node cannot look after its sandboxes. */
    public enum Cause {
        /** Its process is gone: the engine closes the channels of its sandboxes, and their guests end them. */
        GONE,
        /** Its process is frozen or sees no majority: its sandboxes end with its lease. */
        OUT_OF_TOUCH
    }

    /** When none of its sandboxes may be alive any more. */
    Instant deadline(Trial.Bounds bounds) {
        return from.plus(cause == Cause.GONE ? Duration.ZERO : bounds.lease()).plus(bounds.orphan());
    }
}
