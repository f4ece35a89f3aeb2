package dev.vivarium.node.run;

import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.RunEvent;
import java.util.Optional;

/** Translates a sandbox's report into an event of its run. Pure. */
final class ReportedEvent {
    private ReportedEvent() {}

    /** Empty for reports that have no event: output is in its own store. */
    static Optional<RunEvent> of(SandboxReport report, String node, Optional<Principal> drainedBy) {
        if (report instanceof SandboxReport.Started started) {
            return Optional.of(new RunEvent.AttemptStarted(started.at(), node, started.attempt(), started.sandbox()));
        }
        if (report instanceof SandboxReport.Alarm alarm) {
            return Optional.of(new RunEvent.AlarmRaised(
                    alarm.at(), node, alarm.attempt(), alarm.reason(), alarm.measurement(), alarm.consequence()));
        }
        if (report instanceof SandboxReport.Denied denied) {
            return Optional.of(new RunEvent.EgressDenied(
                    denied.at(),
                    node,
                    denied.attempt(),
                    denied.use().denied(),
                    denied.use().destinations(),
                    denied.use().mostTried()));
        }
        if (report instanceof SandboxReport.Reached reached) {
            return Optional.of(new RunEvent.EgressUsed(
                    reached.at(),
                    node,
                    reached.attempt(),
                    reached.use().opened(),
                    reached.use().reached().destinations(),
                    reached.use().traffic().bytesOut(),
                    reached.use().traffic().bytesIn(),
                    reached.use().reached().most()));
        }
        if (report instanceof SandboxReport.Kept kept) {
            return Optional.of(new RunEvent.ArtifactsKept(
                    kept.at(),
                    node,
                    kept.attempt(),
                    kept.artifacts().files(),
                    kept.artifacts().leftOut(),
                    kept.artifacts().examples()));
        }
        return report instanceof SandboxReport.Ended ended
                ? Optional.of(AttemptEnd.event(ended, node, drainedBy))
                : Optional.empty();
    }
}
