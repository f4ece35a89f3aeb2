package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long the next attempt of a run has to wait after it was taken over, because the one before may live on where this
 * node's engine does not reach: until the lease of the node that held it has ended. Safe for use by any thread.
 */
public final class TakeoverWait {
    private final Duration most;
    private final NodeClock clock;
    private final Map<String, Long> endNanos = new ConcurrentHashMap<>();

    private TakeoverWait(Duration most, NodeClock clock) {
        this.most = most;
        this.clock = clock;
    }

    /** Where nobody need wait: a node is alone, or its engine has the sandboxes of all. */
    public static TakeoverWait none() {
        return new TakeoverWait(Duration.ZERO, NodeClock.system());
    }

    /**
     * Where nodes have engines of their own.
     *
     * @param most how long it is when nobody knows when the lease was granted last
     */
    public static TakeoverWait of(Duration most, NodeClock clock) {
        return new TakeoverWait(most, clock);
    }

    /** The lease of a node that was given up has ended at that time for sure. */
    public void endsAt(String node, long nanos) {
        endNanos.merge(node, nanos, (before, now) -> before - now > 0 ? before : now);
    }

    /** The node is there again, in another life, and has another lease. */
    public void forget(String node) {
        endNanos.remove(node);
    }

    /**
     * How long is left of it; zero when it is over.
     *
     * @param node the one that held the attempt before
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
