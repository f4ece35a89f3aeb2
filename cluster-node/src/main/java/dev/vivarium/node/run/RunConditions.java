package dev.vivarium.node.run;

import dev.vivarium.node.run.RunDecision.Conditions;
import dev.vivarium.node.run.RunDecision.Request;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;

/** Collects the conditions for a run's next step. Belongs to one Run and is confined to its thread. */
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

    /** The run was just recovered from the journal. */
    void recovered() {
        recoveredNanos = environment.sandbox().clock().nanos();
    }

    /** The run's next step under the current conditions. */
    RunDecision.Step next(RunState state, Request request) {
        return RunDecision.next(state, of(state, request));
    }

    /** The current conditions. */
    private Conditions of(RunState state, Request request) {
        return new Conditions(
                request,
                attempt.condition(),
                environment.drain().isDraining() ? RunDecision.Intake.DRAINING : RunDecision.Intake.OPEN,
                slot.held(),
                environment.sandbox().lease().isFresh() ? RunDecision.Lease.FRESH : RunDecision.Lease.UNSURE,
                untilEarlierIsGone(state).isZero() ? RunDecision.Earlier.GONE : RunDecision.Earlier.MAY_LIVE);
    }

    /** How long at most a lost node's attempt may continue where this node's engine cannot see it. */
    Duration untilEarlierIsGone(RunState state) {
        return state instanceof RunState.Interrupted run && run.cause() == Interruption.NODE_LOST
                ? environment.takeoverWait().left(run.heldBy(), recoveredNanos)
                : Duration.ZERO;
    }
}
