package dev.vivarium.node.run;

import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent;
import java.time.Instant;
import java.util.Optional;

/** Translates the end of a sandbox into an event of its run. Pure. */
final class AttemptEnd {
    private static final int SIGNAL_EXIT_BASE = 128;

    private AttemptEnd() {}

    /**
     * The event for a sandbox's last report.
     *
     * @param drainedBy the principal that drains the node, if it is draining
     */
    static RunEvent event(SandboxReport.Ended ended, String node, Optional<Principal> drainedBy) {
        Instant at = ended.at();
        int attempt = ended.attempt();
        Outcome outcome = ended.outcome();
        if (outcome instanceof Outcome.Exited exited) {
            return exited.exitCode() == 0
                    ? new RunEvent.RunSucceeded(at, node, attempt, ended.usage())
                    : new RunEvent.RunFailed(at, node, attempt, exited.exitCode(), Optional.empty(), ended.usage());
        }
        if (outcome instanceof Outcome.Signaled signaled) {
            int exitCode = SIGNAL_EXIT_BASE + signaled.signal();
            return new RunEvent.RunFailed(at, node, attempt, exitCode, Optional.of(signaled.signal()), ended.usage());
        }
        if (outcome instanceof Outcome.NotStarted notStarted) {
            return new RunEvent.RunNotStarted(at, node, attempt, notStarted.failure());
        }
        if (outcome instanceof Outcome.Interrupted interrupted) {
            return new RunEvent.AttemptInterrupted(
                    at, node, attempt, interrupted.cause(), interrupted.detail(), Optional.empty());
        }
        return killed((Outcome.Killed) outcome, ended, node, drainedBy);
    }

    private static RunEvent killed(
            Outcome.Killed killed, SandboxReport.Ended ended, String node, Optional<Principal> drainedBy) {
        if (killed.reason() == KillReason.CANCELLED) {
            return new RunEvent.RunCancelled(ended.at(), node, ended.attempt(), ended.usage());
        }
        if (killed.reason() == KillReason.DRAINED) {
            return new RunEvent.AttemptInterrupted(
                    ended.at(), node, ended.attempt(), Interruption.DRAINED, "The node was drained.", drainedBy);
        }
        return new RunEvent.RunKilled(
                ended.at(), node, ended.attempt(), killed.reason(), killed.measurement(), ended.usage());
    }
}
