package dev.vivarium.node.http.server;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How fast answers of one kind leave the node: a second's worth at once, and what is more waits for its turn, up to a limit.
 * This is the generic cell rate algorithm (ITU-T I.371), which shapes where others drop: one number is all it remembers, and
 * what waits is kept by nobody but its connection.
 *
 * @param perSecond how many leave in a second, at least 1
 * @param waitMax the longest wait; beyond it more leave than the rate says
 */
record Pace(int perSecond, Duration waitMax) {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /**
     * An answer's turn.
     *
     * @param waits how long it waits
     * @param due when the next one would be due if all came evenly; what the next turn is taken from
     */
    record Turn(Duration waits, long due) {}

    /**
     * The turn of the next answer.
     *
     * @param due that of the turn before; for the first one, now
     * @param now the time, in nanoseconds of a clock that never jumps
     */
    Turn next(long due, long now) {
        long interval = SECOND / perSecond;
        long ahead = Math.max(0, due - now);
        long waitMaxNanos = waitMax.toNanos();
        long wait = Math.min(Math.max(0, ahead + interval - SECOND), waitMaxNanos);
        return new Turn(Duration.ofNanos(wait), now + Math.min(ahead + interval, SECOND + waitMaxNanos));
    }
}
