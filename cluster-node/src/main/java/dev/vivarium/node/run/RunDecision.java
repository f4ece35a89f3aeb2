package dev.vivarium.node.run;

import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a run does next: one pure, total function of its state and of the conditions around it. The entity gathers the
 * conditions, carries the step out, and asks again when something has changed.
 */
final class RunDecision {
    private RunDecision() {}

    /** Whether the node begins attempts. */
    enum Intake {
        OPEN,
        DRAINING
    }

    /** Whether the run holds a slot of the node. */
    enum Slot {
        HELD,
        NOT_HELD
    }

    /** Whether the node is sure that its runs are its own: one that has just woken up may have been given up. */
    enum Lease {
        FRESH,
        UNSURE
    }

    /** Whether an earlier attempt may still live where this node's engine does not reach. */
    enum Earlier {
        GONE,
        MAY_LIVE
    }

    /** The sandbox of the present attempt. */
    enum Sandbox {
        PRESENT,
        /** There is none: the entity that owned it is gone. */
        ABSENT,
        /** Its actor stopped without a last report. */
        VANISHED
    }

    /** What is asked of the run. */
    enum Request {
        PROCEED,
        CANCEL
    }

    /** All that a step depends on beside the run's state. */
    record Conditions(Request request, Sandbox sandbox, Intake intake, Slot slot, Lease lease, Earlier earlier) {}

    /** What the entity does: makes the step's events durable, then acts on it. */
    sealed interface Step {
        /** What the step is in the history of the run; nothing if it changes no state. */
        default List<RunEvent> events(Instant at, String node) {
            return List.of();
        }

        /** Begins the attempt. */
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

        /** The attempt has ended, by no decision. */
        record Interrupt(int attempt, Interruption cause, String detail) implements Step {
            @Override
            public List<RunEvent> events(Instant at, String node) {
                return List.of(new RunEvent.AttemptInterrupted(at, node, attempt, cause, detail, Optional.empty()));
            }
        }

        /** Ends the run as cancelled, since nothing runs. */
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

        /** Stops the sandbox, once the request is durable; the run ends when that is gone. */
        record Stop() implements Step {}

        /** Stops the sandbox once more: the request is durable already. */
        record StopAgain() implements Step {}

        /** Waits until its turn for a slot comes. */
        record AwaitSlot() implements Step {}

        /** Looks again soon: the lease is not sure. */
        record AwaitLease() implements Step {}

        /** Looks again when the earlier attempt is gone for sure. */
        record AwaitEarlier() implements Step {}

        /** Gives its slot back: the next attempt begins where the run is held next. */
        record HandOver() implements Step {}

        /** There is nothing to do. */
        record Nothing() implements Step {}
    }

    /** The step for a run in the state under the conditions. */
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

    /** An end comes before everything but the lease; then a draining node hands over what would start again. */
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
