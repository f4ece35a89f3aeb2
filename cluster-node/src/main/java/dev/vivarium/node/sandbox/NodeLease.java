package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;

/**
 * How long this node may be sure that its runs are its own. A node that is one of several has it granted by a majority of
 * them, again and again. Guests are armed to no later than its end, so that the agents of a node that is
 * frozen or cut off end by themselves; and whoever takes over its runs knows by when they have. Safe for use by any thread.
 *
 * <p>Sureness comes in two grades. What goes on may go on while the lease is held. What is begun (an attempt, a take-over)
 * needs a fresh one: renewed within a quarter of its length, since a node that has just woken up may have been given up.
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

    /** Of a node that is alone: nobody else could take its runs over. */
    public static NodeLease endless() {
        return new NodeLease(Duration.ofMillis(ENDLESS_MILLIS), NodeClock.system(), Grade.ENDLESS);
    }

    /**
     * Of a node that is one of several; not held until it is renewed.
     *
     * @param length from what a renewal counts from to the end
     */
    public static NodeLease of(Duration length, NodeClock clock) {
        return new NodeLease(length, clock, Grade.NEVER_RENEWED);
    }

    /**
     * A majority has granted it. Changes nothing once it was revoked.
     *
     * @param nanos when the node asked for that, on its own clock: the answers may have been under way for long
     */
    public synchronized void renew(long nanos) {
        boolean isNewer =
                state.grade == Grade.NEVER_RENEWED || (state.grade == Grade.RENEWED && nanos - state.renewedNanos > 0);
        if (isNewer) {
            state = new State(Grade.RENEWED, nanos);
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

    /** How soon what depends on it looks at it again: often while a renewal is late, which then counts at once. */
    public Duration lookInterval() {
        return length.dividedBy(isFresh() ? FRESH_SHARE : LATE_SHARE);
    }

    private long ageMillis(State renewed) {
        return (clock.nanos() - renewed.renewedNanos) / 1_000_000;
    }
}
