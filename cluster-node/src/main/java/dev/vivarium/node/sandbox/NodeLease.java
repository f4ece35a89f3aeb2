package dev.vivarium.node.sandbox;

import java.time.Duration;

/**
 * How long this node may be sure that its runs are its own. A node that is one of several renews it again and again while
 * it sees that it is in the cluster. Guests are armed to no later than its end, so that the agents of a node that is
 * frozen or cut off end by themselves; and whoever takes over its runs knows by when they have. Safe for use by any thread.
 *
 * <p>Sureness comes in two grades. What goes on may go on while the lease is held. What is begun (an attempt, a take-over)
 * needs a fresh one: renewed within a quarter of its length, since a node that has just woken up may have been given up.
 */
public final class NodeLease {
    /** Longer than any run. */
    private static final long ENDLESS_MILLIS = Duration.ofDays(365).toMillis();

    private static final int FRESH_SHARE = 4;

    private final Duration length;
    private final Duration takeoverWait;
    private final NodeClock clock;
    private volatile State state;

    private record State(Grade grade, long renewedNanos) {}

    private enum Grade {
        ENDLESS,
        NEVER_RENEWED,
        RENEWED,
        REVOKED
    }

    private NodeLease(Duration length, Duration takeoverWait, NodeClock clock, Grade grade) {
        this.length = length;
        this.takeoverWait = takeoverWait;
        this.clock = clock;
        this.state = new State(grade, 0);
    }

    /** Of a node that is alone: nobody else could take its runs over. */
    public static NodeLease endless() {
        return new NodeLease(Duration.ofMillis(ENDLESS_MILLIS), Duration.ZERO, NodeClock.system(), Grade.ENDLESS);
    }

    /**
     * Of a node that is one of several; not held until it is renewed.
     *
     * @param length from a renewal to the end
     * @param takeoverWait how long an attempt may live on elsewhere after its run was taken over
     */
    public static NodeLease of(Duration length, Duration takeoverWait, NodeClock clock) {
        return new NodeLease(length, takeoverWait, clock, Grade.NEVER_RENEWED);
    }

    /** The node has just seen that it is in the cluster. Changes nothing once it was revoked. */
    public synchronized void renew() {
        if (state.grade == Grade.NEVER_RENEWED || state.grade == Grade.RENEWED) {
            state = new State(Grade.RENEWED, clock.nanos());
        }
    }

    /** The cluster has given this node up; for ever. */
    public synchronized void revoke() {
        state = new State(Grade.REVOKED, 0);
    }

    /** Whether something may be begun. */
    public boolean isFresh() {
        State now = state;
        return now.grade == Grade.ENDLESS
                || (now.grade == Grade.RENEWED && ageMillis(now) <= length.toMillis() / FRESH_SHARE);
    }

    /** The time until its end; 0 when it is not held. */
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

    /** How often what depends on it looks at it. */
    public Duration lookInterval() {
        return length.dividedBy(FRESH_SHARE);
    }

    /** How long an attempt may live on elsewhere after its run was taken over. */
    public Duration takeoverWait() {
        return takeoverWait;
    }

    private long ageMillis(State renewed) {
        return (clock.nanos() - renewed.renewedNanos) / 1_000_000;
    }
}
