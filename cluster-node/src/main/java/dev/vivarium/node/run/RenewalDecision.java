package dev.vivarium.node.run;

import dev.vivarium.node.run.RenewAnswer.Reason;
import dev.vivarium.node.sandbox.SandboxReport.RenewalRefusal;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a run does about a request to move its deadline: a pure, total function of its state and of its sandbox. With a
 * sandbox, the sandbox decides, since only there it is known what has ended; without one, nothing can race.
 */
final class RenewalDecision {
    private RenewalDecision() {}

    /** The next step. */
    sealed interface Verdict {
        /** The deadline stays. */
        record Refuse(Reason reason) implements Verdict {}

        /** Have the sandbox move it; then make it durable. */
        record AskSandbox(Limits limits) implements Verdict {}

        /** Make it durable: it is in force from the next attempt on. */
        record Note(Limits limits) implements Verdict {}
    }

    /** @param renewalsMax how often a deadline may be moved */
    static Verdict decide(RunState.Existing run, RunDecision.Sandbox sandbox, Renewal renewal, int renewalsMax) {
        RunState.Submission submission = run.submission();
        Limits limits = submission.limitsInForce().renewed(renewal.wallClock(), renewal.cpuTimeMax());
        if (run instanceof RunState.Finished) {
            return new Verdict.Refuse(Reason.ENDED);
        } else if (submission.cancelRequestedAt().isPresent()) {
            return new Verdict.Refuse(Reason.CANCELLED);
        } else if (run instanceof RunState.Interrupted interrupted && !interrupted.mayRestart()) {
            return new Verdict.Refuse(Reason.ENDING);
        } else if (submission.renewals() >= renewalsMax && !limits.equals(submission.limitsInForce())) {
            return new Verdict.Refuse(Reason.TOO_OFTEN);
        }
        boolean isAttempting = run instanceof RunState.Starting || run instanceof RunState.Running;
        return isAttempting && sandbox == RunDecision.Sandbox.PRESENT
                ? new Verdict.AskSandbox(limits)
                : new Verdict.Note(limits);
    }

    /** The reason for the caller, when the sandbox has refused. */
    static Reason reason(RenewalRefusal why) {
        return switch (why) {
            case TOO_LATE -> Reason.ENDING;
            case ALREADY_PAST -> Reason.ALREADY_PAST;
            case TOO_MANY_AT_ONCE -> Reason.TOO_MANY_AT_ONCE;
        };
    }

    /** The event of a deadline that was moved; none when it is where it was, as for a repeated request. */
    static List<RunEvent> events(
            RunState.Existing run, Limits limits, Principal by, Optional<Origin> origin, Instant at, String node) {
        Limits before = run.submission().limitsInForce();
        return limits.equals(before)
                ? List.of()
                : List.of(new RunEvent.DeadlineMoved(
                        at,
                        node,
                        by,
                        before.get(Limit.WALL_CLOCK),
                        limits.get(Limit.WALL_CLOCK),
                        limits.get(Limit.CPU_TIME),
                        origin));
    }
}
