package dev.vivarium.persistence.store;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/**
 * A clock for durations and deadlines: starts at the machine's wall clock and never jumps, whatever an operator or a
 * time server does to that. Not for times compared with other machines or with files.
 */
public final class MonotonicClock extends Clock {
    private final Instant start;
    private final long startNanos;
    private final ZoneId zone;

    private MonotonicClock(Instant start, long startNanos, ZoneId zone) {
        this.start = start;
        this.startNanos = startNanos;
        this.zone = zone;
    }

    /** A clock that starts now. */
    public static Clock system() {
        return new MonotonicClock(Clock.systemUTC().instant(), System.nanoTime(), ZoneOffset.UTC);
    }

    @Override
    public Instant instant() {
        return start.plusNanos(System.nanoTime() - startNanos);
    }

    @Override
    public ZoneId getZone() {
        return zone;
    }

    @Override
    public Clock withZone(ZoneId other) {
        return new MonotonicClock(start, startNanos, other);
    }
}
