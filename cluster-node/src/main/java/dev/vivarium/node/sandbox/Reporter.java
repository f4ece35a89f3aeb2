package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WarningSignal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** Sends reports to the attempt's Run, with the attempt and the time. */
record Reporter(ActorRef<SandboxReport> run, int attempt, NodeClock clock) {
    void secretsUsed(List<SecretVersion> secrets) {
        run.tell(new SandboxReport.SecretsUsed(attempt, clock.now(), secrets));
    }

    void started(SandboxId id, SandboxStart start) {
        run.tell(new SandboxReport.Started(attempt, clock.now(), id.value(), start));
    }

    void alarm(KillReason reason, Measurement measurement, Consequence consequence) {
        run.tell(new SandboxReport.Alarm(attempt, clock.now(), reason, measurement, consequence));
    }

    void warned(WarningSignal signal, Duration wallClock) {
        run.tell(new SandboxReport.Warned(attempt, clock.now(), signal, new TimeSpan(wallClock)));
    }

    void renewed(long number) {
        run.tell(new SandboxReport.Renewed(attempt, clock.now(), number));
    }

    void notRenewed(long number, SandboxReport.RenewalRefusal why) {
        run.tell(new SandboxReport.NotRenewed(attempt, number, why));
    }

    void denied(EgressUse use) {
        run.tell(new SandboxReport.Denied(attempt, clock.now(), use));
    }

    void reached(EgressUse use) {
        run.tell(new SandboxReport.Reached(attempt, clock.now(), use));
    }

    void outputAdvanced(long end, List<OutputChunk> stored) {
        run.tell(new SandboxReport.OutputAdvanced(attempt, end, stored));
    }

    void ended(Outcome outcome, Usage usage, Optional<SandboxReport.Kept> kept) {
        run.tell(new SandboxReport.Ended(attempt, clock.now(), outcome, usage, kept));
    }
}
