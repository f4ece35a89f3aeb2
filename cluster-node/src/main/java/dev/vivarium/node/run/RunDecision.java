package dev.vivarium.node.run;

import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The next step of a run: a pure, total function of its state and of the conditions around it. The entity collects the
 * conditions, carries the step out, and decides again after every change.
 */
final class RunDecision {
    private RunDecision() {}

    /** Whether the node starts attempts. */
    enum Intake {
        OPEN,
        DRAINING
    }

    /** Whether the run holds a slot. */
    enum Slot {
        HELD,
        NOT_HELD
    }

    /** Whether the node's lease is valid: a node that was frozen may have been given up. */
    enum Lease {
        FRESH,
        UNSURE
    }

    /** Whether an earlier attempt may still be alive where this node's engine cannot see it. */
    enum Earlier {
        GONE,
        MAY_LIVE
    }

    /** The sandbox of the current attempt. */
    enum Sandbox {
        PRESENT,
        /** There is none: the entity that owned it is gone. */
        ABSENT,
        /** Its actor stopped without a last report. */
        VANISHED
    }

    /** Requests to the run. */
    enum Request {
        PROCEED,
        CANCEL
    }

    /** Everything that a step depends on besides the run's state. */
    record Conditions(Request request, Sandbox sandbox, Intake intake, Slot slot, Lease lease, Earlier earlier) {}

    /** A step of the entity: first its events are made durable, then it is carried out. */
    sealed interface Step {
        /** The step's events; none if it does not change the state. */
        default List<RunEvent> events(Instant at, String node) {
            return List.of();
        }

        /** Starts the attempt. */
        record Start(int attempt) implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.AttemptStarting(at, node, attempt));
            }
        }

        /** The run waits for a slot from now on. */
        record Queue() implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.RunQueued(at, node));
            }
        }

        /** The attempt has ended without a decision of the run. */
        record Interrupt(int attempt, Interruption cause, String detail) implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.AttemptInterrupted(at, node, attempt, cause, detail, Optional.empty()));
            }
        }

        /** Ends the run as cancelled; no sandbox is running. */
        record EndCancelled(int attempt) implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.RunCancelled(at, node, attempt, Usage.NONE));
            }
        }

        /** Ends the run as lost: it may not restart. */
        record Lose(int attempt, Interruption cause, String detail) implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.RunLost(at, node, attempt, cause, detail));
            }
        }

        /** Stops the sandbox once the request is durable; the run ends when the sandbox is gone. */
        record Stop() implements Step {}

        /** Stops the sandbox again; the request is durable already. */
        record StopAgain() implements Step {}

        /** Waits for a slot. */
        record AwaitSlot() implements Step {}

        /** Checks again soon: the lease is not certain. */
        record AwaitLease() implements Step {}

        /** Checks again when the earlier attempt is certainly gone. */
        record AwaitEarlier() implements Step {}

        /** Gives the slot back: the next attempt starts on the run's next owner. */
        record HandOver() implements Step {}

        /** Does nothing. */
        record Nothing() implements Step {}
    }

    /** The step for a run in this state under these conditions. */
    static Step next(RunState state, Conditions conditions) {
        return conditions.request == Request.CANCEL ? cancel(state) : proceed(state, conditions);
    }

    private static Step proceed(RunState state, Conditions conditions) {
        if (state instanceof RunState.Submitted || state instanceof RunState.Queued) {
            return begin(state, conditions);
        }
        if (isAttempting(state)) {
            return attempting(((RunState.Live) state).attempt(), conditions);
        }
        return state instanceof RunState.Interrupted run ? takeUp(run, conditions) : new Step.Nothing();
    }

    private static Step begin(RunState state, Conditions conditions) {
        if (conditions.intake == Intake.DRAINING) {
            return new Step.HandOver();
        }
        if (conditions.slot == Slot.NOT_HELD) {
            return state instanceof RunState.Submitted ? new Step.Queue() : new Step.AwaitSlot();
        }
        return conditions.lease == Lease.FRESH ? new Step.Start(1) : new Step.AwaitLease();
    }

    private static Step attempting(int attempt, Conditions conditions) {
        return switch (conditions.sandbox) {
            case PRESENT -> new Step.Nothing();
            case VANISHED -> new Step.Interrupt(
                    attempt, Interruption.ENGINE_LOST, "The sandbox's owner failed; see the node's log.");
            case ABSENT -> conditions.lease == Lease.FRESH
                    ? new Step.Interrupt(
                            attempt,
                            Interruption.NODE_LOST,
                            "The node that held the attempt stopped without ending it.")
                    : new Step.AwaitLease();
        };
    }

    /**
     * Ending the run takes precedence over everything but the lease; next, a draining node hands over runs that would
     * restart.
     */
    private static Step takeUp(RunState.Interrupted run, Conditions conditions) {
        if (conditions.lease == Lease.UNSURE) {
            return new Step.AwaitLease();
        }
        if (run.submission().cancelRequestedAt().isPresent()) {
            return new Step.EndCancelled(run.attempt());
        }
        if (!run.mayRestart()) {
            return new Step.Lose(run.attempt(), run.cause(), run.detail());
        }
        if (conditions.intake == Intake.DRAINING) {
            return new Step.HandOver();
        }
        if (conditions.slot == Slot.NOT_HELD) {
            return new Step.AwaitSlot();
        }
        return conditions.earlier == Earlier.MAY_LIVE ? new Step.AwaitEarlier() : new Step.Start(run.attempt() + 1);
    }

    private static Step cancel(RunState state) {
        if (!(state instanceof RunState.Live run)) {
            return new Step.Nothing();
        }
        if (!isAttempting(run)) {
            return new Step.EndCancelled(run.attempt());
        }
        return run.submission().cancelRequestedAt().isPresent() ? new Step.StopAgain() : new Step.Stop();
    }

    private static boolean isAttempting(RunState state) {
        return state instanceof RunState.Starting || state instanceof RunState.Running;
    }
}
