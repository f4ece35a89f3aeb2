package dev.vivarium.node.sandbox;

import java.time.Duration;
import java.time.Instant;

/** A clock that stands until the test moves it. */
final class SetClock implements NodeClock {
    private long nanos = 1_000;

    void advance(Duration time) {
        nanos += time.toNanos();
    }

    @Override
    public Instant now() {
        return Instant.EPOCH.plusNanos(nanos);
    }

    @Override
    public long nanos() {
        return nanos;
    }
}
