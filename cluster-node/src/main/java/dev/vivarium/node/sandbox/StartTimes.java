package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.SandboxStart.Birth;
import java.util.concurrent.TimeUnit;

/** Times the steps until an agent runs. Used by one Sandbox actor; not thread-safe. */
final class StartTimes {
    private final NodeClock clock;
    private final long askedNanos;
    private Birth birth = Birth.COLD;
    private long madeNanos;
    private long orderedNanos;

    /** The attempt begins now. */
    StartTimes(NodeClock clock) {
        this.clock = clock;
        this.askedNanos = clock.nanos();
    }

    /** Its sandbox is there. */
    void made(Birth sandbox) {
        birth = sandbox;
        madeNanos = clock.nanos();
    }

    /** The guest is asked to start the agent. */
    void ordered() {
        orderedNanos = clock.nanos();
    }

    /** The agent runs. */
    SandboxStart started() {
        return new SandboxStart(
                birth,
                micros(askedNanos, madeNanos),
                micros(madeNanos, orderedNanos),
                micros(orderedNanos, clock.nanos()));
    }

    private static long micros(long from, long to) {
        return TimeUnit.NANOSECONDS.toMicros(Math.max(0, to - from));
    }
}
