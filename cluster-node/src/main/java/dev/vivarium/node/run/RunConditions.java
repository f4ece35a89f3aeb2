package dev.vivarium.node.run;

import dev.vivarium.node.run.RunDecision.Conditions;
import dev.vivarium.node.run.RunDecision.Request;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;

/** Gathers what the next step of a run depends on. Belongs to one Run, and is used by its thread only. */
final class RunConditions {
    private final RunEnvironment environment;
    private final RunSlot slot;
    private final RunAttempt attempt;
    private long recoveredNanos;

    RunConditions(RunEnvironment environment, RunSlot slot, RunAttempt attempt) {
        this.environment = environment;
        this.slot = slot;
        this.attempt = attempt;
    }

    /** The run has just been taken over from the journal. */
    void recovered() {
        recoveredNanos = environment.sandbox().clock().nanos();
    }

    /** The conditions as they are now. */
    Conditions of(RunState state, Request request) {
        return new Conditions(
                request,
                attempt.condition(),
                environment.drain().isDraining() ? RunDecision.Intake.DRAINING : RunDecision.Intake.OPEN,
                slot.held(),
                environment.sandbox().lease().isFresh() ? RunDecision.Lease.FRESH : RunDecision.Lease.UNSURE,
                untilEarlierIsGone(state).isZero() ? RunDecision.Earlier.GONE : RunDecision.Earlier.MAY_LIVE);
    }

    /** An attempt that was lost with its node may live on where this node's engine does not reach, for so long at most. */
    Duration untilEarlierIsGone(RunState state) {
        return state instanceof RunState.Interrupted run && run.cause() == Interruption.NODE_LOST
                ? environment.takeoverWait().left(run.heldBy(), recoveredNanos)
                : Duration.ZERO;
    }
}
