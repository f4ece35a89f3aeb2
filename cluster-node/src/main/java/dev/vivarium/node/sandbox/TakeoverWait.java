package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long the next attempt of a run must wait after a take-over, because the previous one may live on an engine that
 * this node cannot reach: until the lease of the node that held it has ended. Thread-safe.
 */
public final class TakeoverWait {
    private final Duration most;
    private final NodeClock clock;
    private final Map<String, Long> endNanos = new ConcurrentHashMap<>();

    private TakeoverWait(Duration most, NodeClock clock) {
        this.most = most;
        this.clock = clock;
    }

    /** For a node without peers, or with an engine shared by all: no wait. */
    public static TakeoverWait none() {
        return new TakeoverWait(Duration.ZERO, NodeClock.system());
    }

    /**
     * For nodes with engines of their own.
     *
     * @param most the wait when the time of the last grant is unknown
     */
    public static TakeoverWait of(Duration most, NodeClock clock) {
        return new TakeoverWait(most, clock);
    }

    /** The lease of a node that was given up ends at this time at the latest. */
    public void endsAt(String node, long nanos) {
        endNanos.merge(node, nanos, (before, now) -> before - now > 0 ? before : now);
    }

    /** The node is back in a new incarnation, with a new lease. */
    public void forget(String node) {
        endNanos.remove(node);
    }

    /**
     * The rest of the wait; zero when it is over.
     *
     * @param node the node that held the attempt before
     * @param takenOverNanos when the run was taken over
     */
    public Duration left(String node, long takenOverNanos) {
        long now = clock.nanos();
        long full = takenOverNanos + most.toNanos() - now;
        long known =
                Optional.ofNullable(endNanos.get(node)).map(end -> end - now).orElse(full);
        return Duration.ofNanos(Math.max(0, Math.min(full, known)));
    }
}
