package dev.vivarium.node.sandbox;

import dev.vivarium.node.network.EgressUse;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WarningSignal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What a Sandbox actor reports to its Run, each with the attempt that fences it. */
public sealed interface SandboxReport {
    /** The attempt that the sandbox serves. */
    int attempt();

    /** Values of the tenant's secrets were opened for the agent. */
    record SecretsUsed(int attempt, Instant at, List<SecretVersion> secrets) implements SandboxReport {
        public SecretsUsed {
            secrets = List.copyOf(secrets);
        }
    }

    /** The agent's process runs. */
    record Started(int attempt, Instant at, String sandbox, SandboxStart start) implements SandboxReport {}

    /** A limit is near or reached. */
    record Alarm(int attempt, Instant at, KillReason reason, Measurement measurement, Consequence consequence)
            implements SandboxReport {}

    /** The agent was sent the warning that its run asked for. */
    record Warned(int attempt, Instant at, WarningSignal signal, TimeSpan wallClock) implements SandboxReport {}

    /** What became of a request to move the deadline. */
    sealed interface RenewalReport extends SandboxReport {
        /** The request's number. */
        long number();
    }

    /** The deadline was moved, on the node and in the guest: no kill at the one before follows. */
    record Renewed(int attempt, Instant at, long number) implements RenewalReport {}

    /** The deadline was not moved. */
    record NotRenewed(int attempt, long number, RenewalRefusal why) implements RenewalReport {}

    /** Why a deadline was not moved. */
    enum RenewalRefusal {
        /** The attempt was ending, or its time was up, before the guest had confirmed. */
        TOO_LATE,
        /** The attempt has run for longer than the new limit. */
        ALREADY_PAST,
        /** The guest has not confirmed earlier renewals yet. */
        TOO_MANY_AT_ONCE
    }

    /** The agent has tried to reach something that its policy denies; counts since the attempt began. */
    record Denied(int attempt, Instant at, EgressUse use) implements SandboxReport {}

    /** The agent's network use over the whole attempt. */
    record Reached(int attempt, Instant at, EgressUse use) implements SandboxReport {}

    /**
     * More output can be read.
     *
     * @param end the offset after its last byte
     * @param stored the chunks before it, if the store has exactly these at their offsets; else empty
     */
    record OutputAdvanced(int attempt, long end, List<OutputChunk> stored) implements SandboxReport {
        public OutputAdvanced {
            stored = List.copyOf(stored);
        }
    }

    /**
     * The sandbox is gone, its output and files are stored; the last report.
     *
     * @param kept what was kept of its files, if that was asked for and the run goes on nowhere else
     */
    record Ended(int attempt, Instant at, Outcome outcome, Usage usage, Optional<Kept> kept) implements SandboxReport {}

    /** The files that were kept, and when that was over. */
    record Kept(Instant at, KeptArtifacts artifacts) {}

    /** How an attempt ended. */
    sealed interface Outcome {
        /** The agent exited by itself. */
        record Exited(int exitCode) implements Outcome {}

        /** The agent was ended by a signal that this node did not send. */
        record Signaled(int signal) implements Outcome {}

        /** The agent never ran. */
        record NotStarted(StartFailure failure) implements Outcome {}

        /** This node ended it. */
        record Killed(KillReason reason, Optional<Measurement> measurement) implements Outcome {}

        /** It was ended neither by the agent nor by a decision of this node. */
        record Interrupted(Interruption cause, String detail) implements Outcome {}
    }
}
