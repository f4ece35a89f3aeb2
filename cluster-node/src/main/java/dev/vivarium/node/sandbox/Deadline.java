package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The one owner of an attempt's wall clock: from when it counts, when it is over, and who ends it then. The node's timer
 * is exact. The guest's second clock follows it by a grace, so that an agent ends although its node is frozen; it is
 * armed to the end of the node's lease if that is sooner, again and again for as long as the lease is renewed. Owned by
 * one Sandbox actor, which runs the timers; not safe for use by others.
 */
final class Deadline {
    private final Duration limit;
    private final Duration guestGrace;
    private final NodeLease lease;
    private final NodeClock clock;
    private long startedNanos;
    private OptionalLong endedNanos = OptionalLong.empty();

    /** Of an attempt with this spec. */
    static Deadline of(RunSpec spec, SandboxEnvironment environment) {
        return new Deadline(
                spec.limits().get(Limit.WALL_CLOCK).duration(),
                environment.settings().secondClockGrace(),
                environment.lease(),
                environment.clock());
    }

    /** For an attempt whose agent has not started. */
    Deadline(Duration limit, Duration guestGrace, NodeLease lease, NodeClock clock) {
        this.limit = limit;
        this.guestGrace = guestGrace;
        this.lease = lease;
        this.clock = clock;
        this.startedNanos = clock.nanos();
    }

    /** The wall clock counts from now. */
    void start() {
        startedNanos = clock.nanos();
    }

    /** It counts to now, unless it has ended before. */
    void end() {
        if (endedNanos.isEmpty()) {
            endedNanos = OptionalLong.of(clock.nanos());
        }
    }

    /** What the guest's clock is to be armed with; empty while the node has no lease, so that it runs out. */
    Optional<NodeFrame.Arm> arm() {
        long heldMillis = lease.remainingMillis();
        long leftMillis = limit.plus(guestGrace).toMillis() - elapsedMillis();
        return heldMillis > 0
                ? Optional.of(new NodeFrame.Arm(Math.max(0, Math.min(leftMillis, heldMillis))))
                : Optional.empty();
    }

    /** When the guest's clock is to be armed again; empty when once is enough. */
    Optional<Duration> armAgainAfter() {
        return lease.isEndless() ? Optional.empty() : Optional.of(lease.lookInterval());
    }

    /** The time until the node's own timer is due. */
    Duration left() {
        return limit.minusMillis(elapsedMillis());
    }

    /** The time since the start against the limit. */
    Measurement measurement() {
        return Measurement.millis(elapsedMillis(), limit.toMillis());
    }

    boolean isPast() {
        return elapsedMillis() >= limit.toMillis();
    }

    /** Since the start, until now. */
    long elapsedMillis() {
        return millis(clock.nanos());
    }

    /** Since the start, until the end, or until now while there is none. */
    long usedMillis() {
        return Math.max(0, millis(endedNanos.orElseGet(clock::nanos)));
    }

    private long millis(long nanos) {
        return (nanos - startedNanos) / 1_000_000;
    }
}
