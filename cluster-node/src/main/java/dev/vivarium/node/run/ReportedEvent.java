package dev.vivarium.node.run;

import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.RunEvent;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Translates a sandbox's report into events of its run, which are written together. Pure. */
final class ReportedEvent {
    private ReportedEvent() {}

    /**
     * Empty for reports that have no event of their own: output is in its own store, and what became of a renewal is told
     * together with who asked for it ({@link RenewalDecision}).
     */
    static List<RunEvent> of(SandboxReport report, String node, Optional<Principal> drainedBy) {
        if (report instanceof SandboxReport.SecretsUsed used) {
            return List.of(new RunEvent.SecretsUsed(used.at(), node, used.attempt(), used.secrets()));
        }
        if (report instanceof SandboxReport.Started started) {
            return List.of(new RunEvent.AttemptStarted(
                    started.at(), node, started.attempt(), started.sandbox(), Optional.of(started.start())));
        }
        if (report instanceof SandboxReport.Alarm alarm) {
            return List.of(new RunEvent.AlarmRaised(
                    alarm.at(), node, alarm.attempt(), alarm.reason(), alarm.measurement(), alarm.consequence()));
        }
        if (report instanceof SandboxReport.Warned warned) {
            return List.of(
                    new RunEvent.WarningSent(warned.at(), node, warned.attempt(), warned.signal(), warned.wallClock()));
        }
        if (report instanceof SandboxReport.Denied denied) {
            return List.of(new RunEvent.EgressDenied(
                    denied.at(),
                    node,
                    denied.attempt(),
                    denied.use().denied(),
                    denied.use().destinations(),
                    denied.use().mostTried()));
        }
        if (report instanceof SandboxReport.Reached reached) {
            return List.of(new RunEvent.EgressUsed(
                    reached.at(),
                    node,
                    reached.attempt(),
                    reached.use().opened(),
                    reached.use().reached().destinations(),
                    reached.use().traffic().bytesOut(),
                    reached.use().traffic().bytesIn(),
                    reached.use().reached().most()));
        }
        if (report instanceof SandboxReport.Ended ended) {
            return Stream.concat(
                            ended.kept().map(kept -> kept(ended, kept, node)).stream(),
                            Stream.of(AttemptEnd.event(ended, node, drainedBy)))
                    .toList();
        }
        return List.of();
    }

    private static RunEvent kept(SandboxReport.Ended ended, SandboxReport.Kept kept, String node) {
        return new RunEvent.ArtifactsKept(
                kept.at(),
                node,
                ended.attempt(),
                kept.artifacts().files(),
                kept.artifacts().leftOut(),
                kept.artifacts().examples());
    }
}
