package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The events of a run. They outlive the code: they are journaled, hash-chained and shown to users. Rename or change one
 * only together with an upcaster in the journal's codec.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = RunEvent.RunSubmitted.class, name = "RunSubmitted"),
    @JsonSubTypes.Type(value = RunEvent.RunQueued.class, name = "RunQueued"),
    @JsonSubTypes.Type(value = RunEvent.AttemptStarting.class, name = "AttemptStarting"),
    @JsonSubTypes.Type(value = RunEvent.SecretsUsed.class, name = "SecretsUsed"),
    @JsonSubTypes.Type(value = RunEvent.AttemptStarted.class, name = "AttemptStarted"),
    @JsonSubTypes.Type(value = RunEvent.AlarmRaised.class, name = "AlarmRaised"),
    @JsonSubTypes.Type(value = RunEvent.EgressDenied.class, name = "EgressDenied"),
    @JsonSubTypes.Type(value = RunEvent.EgressUsed.class, name = "EgressUsed"),
    @JsonSubTypes.Type(value = RunEvent.ArtifactsKept.class, name = "ArtifactsKept"),
    @JsonSubTypes.Type(value = RunEvent.DeadlineMoved.class, name = "DeadlineMoved"),
    @JsonSubTypes.Type(value = RunEvent.WarningSent.class, name = "WarningSent"),
    @JsonSubTypes.Type(value = RunEvent.CancelRequested.class, name = "CancelRequested"),
    @JsonSubTypes.Type(value = RunEvent.AttemptInterrupted.class, name = "AttemptInterrupted"),
    @JsonSubTypes.Type(value = RunEvent.RunSucceeded.class, name = "RunSucceeded"),
    @JsonSubTypes.Type(value = RunEvent.RunFailed.class, name = "RunFailed"),
    @JsonSubTypes.Type(value = RunEvent.RunNotStarted.class, name = "RunNotStarted"),
    @JsonSubTypes.Type(value = RunEvent.RunKilled.class, name = "RunKilled"),
    @JsonSubTypes.Type(value = RunEvent.RunCancelled.class, name = "RunCancelled"),
    @JsonSubTypes.Type(value = RunEvent.RunLost.class, name = "RunLost"),
})
public sealed interface RunEvent {
    /** When it happened, by the recording node's clock. */
    Instant at();

    /** The node that recorded it. */
    String node();

    /** The run's last event; no event follows it. */
    sealed interface Terminal extends RunEvent {
        /** The run's last attempt; 0 when there was none. */
        int attempt();

        /** What that attempt used. */
        Usage usage();
    }

    /**
     * The run was accepted; exactly one terminal event will follow.
     *
     * @param by the submitting principal
     * @param spec the complete specification
     * @param submission digest of the client's request, which distinguishes a repeated submission from a different one
     *     under the same idempotency key
     * @param origin where its request came from; empty in events of versions that did not say
     */
    record RunSubmitted(
            Instant at,
            String node,
            Principal by,
            RunId runId,
            RunSpec spec,
            Digest submission,
            Optional<Origin> origin)
            implements RunEvent {}

    /** No node had a free slot, so the run waits on this node, or on whichever node owns it next. */
    record RunQueued(Instant at, String node) implements RunEvent {}

    /** A fresh sandbox is being created for the attempt. */
    record AttemptStarting(Instant at, String node, int attempt) implements RunEvent {}

    /**
     * The attempt was given values of its tenant's secrets, or is about to be.
     *
     * @param secrets which values, by name
     */
    record SecretsUsed(Instant at, String node, int attempt, List<SecretVersion> secrets) implements RunEvent {
        public SecretsUsed {
            secrets = List.copyOf(secrets);
        }
    }

    /**
     * The agent's process runs.
     *
     * @param sandbox the engine's name of the sandbox
     * @param start how the attempt got it; empty in events of versions that did not say
     */
    record AttemptStarted(Instant at, String node, int attempt, String sandbox, Optional<SandboxStart> start)
            implements RunEvent {}

    /**
     * A limit was reached or is near.
     *
     * @param reason the limit
     * @param measurement the measured value and the limit
     * @param consequence what Vivarium does about it
     */
    record AlarmRaised(
            Instant at, String node, int attempt, KillReason reason, Measurement measurement, Consequence consequence)
            implements RunEvent {}

    /** What follows an alarm. */
    enum Consequence {
        /** Recorded in the history; the run continues. */
        NOTED,
        /** The sandbox is being killed. */
        KILL
    }

    /**
     * The agent tried to reach forbidden destinations. Counts are cumulative over the attempt, so its last event of
     * this kind is complete; the number of events stays small however often the agent tries.
     *
     * @param total refused packets and DNS queries
     * @param destinations distinct destinations among them, as far as they were tracked
     * @param mostTried the most frequent ones, at most {@value #DENIALS_MAX}
     */
    record EgressDenied(
            Instant at, String node, int attempt, long total, long destinations, List<EgressDenial> mostTried)
            implements RunEvent {
        /** The most destinations that one event names. */
        public static final int DENIALS_MAX = 16;

        public EgressDenied {
            mostTried = List.copyOf(mostTried);
        }
    }

    /**
     * An attempt's network use; recorded once, when it ends, if there was any.
     *
     * @param connections allowed connections, opened or tried
     * @param destinations distinct destinations among them, as far as they were tracked
     * @param bytesOut bytes sent, including headers
     * @param bytesIn bytes received, including headers
     * @param mostReached the destinations of most connections, at most {@value #REACHES_MAX}
     */
    record EgressUsed(
            Instant at,
            String node,
            int attempt,
            long connections,
            long destinations,
            long bytesOut,
            long bytesIn,
            List<EgressReach> mostReached)
            implements RunEvent {
        /** The most destinations that one event names. */
        public static final int REACHES_MAX = 16;

        public EgressUsed {
            mostReached = List.copyOf(mostReached);
        }
    }

    /**
     * Files were kept from an attempt that is over; recorded once, if the run asked for any.
     *
     * @param files the files
     * @param leftOut how many were not kept
     * @param examples some of them, at most {@value LeftOut#NAMED_MAX}
     */
    record ArtifactsKept(
            Instant at, String node, int attempt, List<Artifact> files, long leftOut, List<LeftOut> examples)
            implements RunEvent {
        public ArtifactsKept {
            files = List.copyOf(files);
            examples = List.copyOf(examples);
        }
    }

    /**
     * The run's wall clock limit was moved: from now on it is in force, for the current attempt and for every later one.
     *
     * @param by the principal that asked for it
     * @param from the limit before
     * @param to the limit since, from the start of each attempt's process
     * @param cpuTime the limit of processor time since, which follows the wall clock unless the submission set it
     * @param origin where its request came from; empty in events of versions that did not say
     */
    record DeadlineMoved(
            Instant at,
            String node,
            Principal by,
            TimeSpan from,
            TimeSpan to,
            TimeSpan cpuTime,
            Optional<Origin> origin)
            implements RunEvent {}

    /**
     * The agent was warned that its deadline is near, as the run asked for; once for each deadline.
     *
     * @param signal the signal that its command was sent
     * @param wallClock the limit whose end is near
     */
    record WarningSent(Instant at, String node, int attempt, WarningSignal signal, TimeSpan wallClock)
            implements RunEvent {}

    /**
     * Cancellation was requested.
     *
     * @param by the requesting principal
     * @param origin where its request came from; empty in events of versions that did not say
     */
    record CancelRequested(Instant at, String node, Principal by, Optional<Origin> origin) implements RunEvent {}

    /**
     * The attempt is over through no fault of the agent; the run's policy decides whether another follows.
     *
     * @param by the principal that drained the node, by a signal to its process; empty when it was not drained
     */
    record AttemptInterrupted(
            Instant at, String node, int attempt, Interruption cause, String detail, Optional<Principal> by)
            implements RunEvent {}

    /** The agent exited with code 0. */
    record RunSucceeded(Instant at, String node, int attempt, Usage usage) implements Terminal {}

    /**
     * The agent exited by itself with a non-zero code or by a signal.
     *
     * @param exitCode the exit code, or 128 plus the signal's number
     * @param signal the signal that ended it, when Vivarium did not send it
     */
    record RunFailed(Instant at, String node, int attempt, int exitCode, Optional<Integer> signal, Usage usage)
            implements Terminal {}

    /** The agent never ran. */
    record RunNotStarted(Instant at, String node, int attempt, StartFailure failure) implements Terminal {
        @Override
        public Usage usage() {
            return Usage.NONE;
        }
    }

    /** Vivarium ended the run. */
    record RunKilled(
            Instant at, String node, int attempt, KillReason reason, Optional<Measurement> measurement, Usage usage)
            implements Terminal {}

    /** The run was stopped on request. */
    record RunCancelled(Instant at, String node, int attempt, Usage usage) implements Terminal {}

    /** The attempt was interrupted and the run's policy allows no further one. */
    record RunLost(Instant at, String node, int attempt, Interruption cause, String detail) implements Terminal {
        @Override
        public Usage usage() {
            return Usage.NONE;
        }
    }
}
