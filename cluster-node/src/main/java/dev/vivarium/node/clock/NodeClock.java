package dev.vivarium.node.clock;

import java.time.Clock;
import java.time.Instant;

/** The time, as a parameter, so that tests decide it. */
public interface NodeClock {
    /** The wall clock, for what people read. */
    Instant now();

    /** A clock that never jumps, for durations; in nanoseconds from an arbitrary start. */
    long nanos();

    /** The machine's clocks. */
    static NodeClock system() {
        Clock clock = Clock.systemUTC();
        return new NodeClock() {
            @Override
            public Instant now() {
                // The journal and the API keep milliseconds: finer digits would differ before and after a restart.
                return Instant.ofEpochMilli(clock.millis());
            }

            @Override
            public long nanos() {
                return System.nanoTime();
            }
        };
    }
}
