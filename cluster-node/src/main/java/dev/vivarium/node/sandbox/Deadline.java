package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The only owner of an attempt's wall clock: its start, its deadline, and which of two clocks ends the attempt. The
 * node's timer is exact. The guest's second clock follows after the run's grace and another of its own, so that an
 * agent ends even if its node is frozen. It is armed no later than the end of the node's lease, again and again while the
 * lease is renewed. {@link DeadlineTimers} runs the timers, {@link Renewals} moves the deadline. Used by one Sandbox
 * actor; not thread-safe.
 */
final class Deadline {
    private final Duration grace;
    private final Duration guestGrace;
    private final NodeLease lease;
    private final NodeClock clock;
    private final Optional<Duration> warnBefore;
    /** In force on the node. */
    private Duration limit;
    /** What the guest's clock is armed for: ahead of the node's while the guest has not confirmed it. */
    private Duration guestLimit;

    private long startedNanos;
    private long extendedToMillis;
    private OptionalLong askedToEndNanos = OptionalLong.empty();
    private OptionalLong endedNanos = OptionalLong.empty();

    /** For an attempt with this spec. */
    static Deadline of(RunSpec spec, SandboxEnvironment environment) {
        return new Deadline(
                spec.limits().get(Limit.WALL_CLOCK).duration(),
                spec.limits().get(Limit.GRACE).duration(),
                environment.settings().secondClockGrace(),
                spec.warning().map(warning -> warning.before().duration()),
                environment.lease(),
                environment.clock());
    }

    /** For an attempt whose agent has not started. */
    Deadline(
            Duration limit,
            Duration grace,
            Duration guestGrace,
            Optional<Duration> warnBefore,
            NodeLease lease,
            NodeClock clock) {
        this.limit = limit;
        this.guestLimit = limit;
        this.warnBefore = warnBefore;
        this.grace = grace;
        this.guestGrace = guestGrace;
        this.lease = lease;
        this.clock = clock;
        this.startedNanos = clock.nanos();
    }

    /** Starts the wall clock. */
    void start() {
        startedNanos = clock.nanos();
    }

    /** The attempt's processes get SIGTERM now. */
    void askToEnd() {
        askedToEndNanos = OptionalLong.of(clock.nanos());
    }

    /** Stops the wall clock, unless it has been stopped before. */
    void end() {
        if (endedNanos.isEmpty()) {
            endedNanos = OptionalLong.of(clock.nanos());
        }
    }

    /** Extends the guest's clock from now on, for work of the guest after the agent's end. */
    void extendForGuest(Duration wait) {
        extendedToMillis = elapsedMillis() + wait.toMillis();
    }

    /** The value for the guest's clock; empty while the node has no lease, so that the clock runs out. */
    Optional<NodeFrame.Arm> arm() {
        long heldMillis = lease.remainingMillis();
        long lastMillis = Math.max(guestLimit.plus(grace).toMillis(), extendedToMillis) + guestGrace.toMillis();
        long leftMillis = lastMillis - elapsedMillis();
        return heldMillis > 0
                ? Optional.of(new NodeFrame.Arm(Math.max(0, Math.min(leftMillis, heldMillis))))
                : Optional.empty();
    }

    /** When to arm the guest's clock again; empty when once is enough. */
    Optional<Duration> armAgainAfter() {
        return lease.isEndless() ? Optional.empty() : Optional.of(lease.lookInterval());
    }

    /** The time until the node's own timer is due. */
    Duration left() {
        return limit.minusMillis(elapsedMillis());
    }

    /** The time until the agent is to be warned; zero when that is now, empty when it is not to be warned. */
    Optional<Duration> untilWarning() {
        return warnBefore.map(before -> {
            Duration wait = left().minus(before);
            return wait.isNegative() ? Duration.ZERO : wait;
        });
    }

    // ---- renewal

    /** Whether a deadline of this limit is still to come. */
    boolean isToCome(Duration other) {
        return elapsedMillis() < other.toMillis();
    }

    /** From now on the guest's clock is armed for this limit. The node's own limit stays in force. */
    void tellGuest(Duration next) {
        guestLimit = next;
    }

    /** The guest's clock is armed for the node's limit again. */
    void withdraw() {
        guestLimit = limit;
    }

    /** From now on this limit is in force on the node. Returns whether that changes it. */
    boolean moveTo(Duration next) {
        boolean moves = !next.equals(limit);
        limit = next;
        return moves;
    }

    /** The limit in force. */
    Duration limit() {
        return limit;
    }

    /** The time since the start, against the limit. */
    Measurement measurement() {
        return Measurement.millis(elapsedMillis(), limit.toMillis());
    }

    /** The outcome when the time is up. */
    Outcome.Killed kill() {
        return Outcomes.killed(KillReason.WALL_CLOCK, measurement());
    }

    boolean isPast() {
        return elapsedMillis() >= limit.toMillis();
    }

    /** From the start until now. */
    long elapsedMillis() {
        return millis(clock.nanos());
    }

    /** From the start to the end, or until now if it has not ended. */
    long usedMillis() {
        return Math.max(0, millis(endedNanos.orElseGet(clock::nanos)));
    }

    /** How much of a grace was used: from when the processes were asked to end until the end; 0 when they were not. */
    long graceMillis() {
        return askedToEndNanos.isEmpty() ? 0 : Math.max(0, usedMillis() - millis(askedToEndNanos.getAsLong()));
    }

    private long millis(long nanos) {
        return (nanos - startedNanos) / 1_000_000;
    }
}
