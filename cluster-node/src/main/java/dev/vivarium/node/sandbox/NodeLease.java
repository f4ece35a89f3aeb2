package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;

/**
 * How long this node may rely on owning its runs. In a cluster, a majority of the members grants the lease again and
 * again. Guests are armed to no later than its end, so that agents of a frozen or partitioned node end by themselves,
 * and a node that takes over its runs knows when they have. Thread-safe.
 *
 * <p>There are two grades. Work in progress may continue while the lease is held. New work (an attempt, a take-over)
 * needs a fresh lease, renewed within a quarter of its length, since a node that has just woken up may have been given
 * up.
 */
public final class NodeLease {
    /** Longer than any run. */
    private static final long ENDLESS_MILLIS = Duration.ofDays(365).toMillis();

    private static final int FRESH_SHARE = 4;
    private static final int LATE_SHARE = 52;

    private final Duration length;
    private final NodeClock clock;
    private volatile State state;

    private record State(Grade grade, long renewedNanos) {}

    private enum Grade {
        ENDLESS,
        NEVER_RENEWED,
        RENEWED,
        REVOKED
    }

    private NodeLease(Duration length, NodeClock clock, Grade grade) {
        this.length = length;
        this.clock = clock;
        this.state = new State(grade, 0);
    }

    /** For a single node, whose runs no other node can take over. */
    public static NodeLease endless() {
        return new NodeLease(Duration.ofMillis(ENDLESS_MILLIS), NodeClock.system(), Grade.ENDLESS);
    }

    /**
     * For a member of a cluster; not held until it is renewed.
     *
     * @param length from the start of a renewal's request to the lease's end
     */
    public static NodeLease of(Duration length, NodeClock clock) {
        return new NodeLease(length, clock, Grade.NEVER_RENEWED);
    }

    /**
     * A majority has granted the lease. No effect after {@link #revoke}.
     *
     * @param nanos when the node asked for it, on its own clock, since the answers may have been delayed
     */
    public synchronized void renew(long nanos) {
        boolean isNewer =
                state.grade == Grade.NEVER_RENEWED || (state.grade == Grade.RENEWED && nanos - state.renewedNanos > 0);
        if (isNewer) {
            state = new State(Grade.RENEWED, nanos);
        }
    }

    /** The cluster has given this node up. Irreversible. */
    public synchronized void revoke() {
        state = new State(Grade.REVOKED, 0);
    }

    /** Whether new work may begin. */
    public boolean isFresh() {
        State now = state;
        return now.grade == Grade.ENDLESS
                || (now.grade == Grade.RENEWED && ageMillis(now) <= length.toMillis() / FRESH_SHARE);
    }

    /** The time until the lease's end; 0 when it is not held. */
    public long remainingMillis() {
        State now = state;
        return switch (now.grade) {
            case ENDLESS -> ENDLESS_MILLIS;
            case NEVER_RENEWED, REVOKED -> 0;
            case RENEWED -> Math.max(0, length.toMillis() - ageMillis(now));
        };
    }

    public boolean isEndless() {
        return state.grade == Grade.ENDLESS;
    }

    /**
     * How often to check a lease that something depends on: often while a renewal is late, so that the renewal is
     * noticed soon.
     */
    public Duration lookInterval() {
        return length.dividedBy(isFresh() ? FRESH_SHARE : LATE_SHARE);
    }

    private long ageMillis(State renewed) {
        return (clock.nanos() - renewed.renewedNanos) / 1_000_000;
    }
}
