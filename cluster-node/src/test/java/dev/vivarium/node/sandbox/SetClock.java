package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands until the test moves it. */
public final class SetClock implements NodeClock {
    private final AtomicLong nanos = new AtomicLong(1_000);

    public void advance(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    @Override
    public Instant now() {
        return Instant.EPOCH.plusNanos(nanos.get());
    }

    @Override
    public long nanos() {
        return nanos.get();
    }
}
