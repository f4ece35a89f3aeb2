package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Everything that can happen to a run. These records outlive the code: they are journaled, hash-chained and shown to
 * users. Rename or change one only together with a migration of the journal's codec.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = RunEvent.RunSubmitted.class, name = "RunSubmitted"),
    @JsonSubTypes.Type(value = RunEvent.RunQueued.class, name = "RunQueued"),
    @JsonSubTypes.Type(value = RunEvent.AttemptStarting.class, name = "AttemptStarting"),
    @JsonSubTypes.Type(value = RunEvent.AttemptStarted.class, name = "AttemptStarted"),
    @JsonSubTypes.Type(value = RunEvent.AlarmRaised.class, name = "AlarmRaised"),
    @JsonSubTypes.Type(value = RunEvent.EgressDenied.class, name = "EgressDenied"),
    @JsonSubTypes.Type(value = RunEvent.EgressUsed.class, name = "EgressUsed"),
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
    /** When it happened, by the clock of the node that says so. */
    Instant at();

    /** The name of the node that says so. */
    String node();

    /** After an event of this kind nothing more happens to the run. */
    sealed interface Terminal extends RunEvent {
        /** The attempt that ended with the run; 0 when there was none. */
        int attempt();

        /** What that attempt used. */
        Usage usage();
    }

    /**
     * The run was accepted; from here on it reaches exactly one terminal event.
     *
     * @param by who submitted it
     * @param spec what the run is to be
     * @param submission digest of what the client sent, by which a repeated submission is told from another one under
     *     the same idempotency key
     */
    record RunSubmitted(Instant at, String node, Principal by, RunId runId, RunSpec spec, Digest submission)
            implements RunEvent {}

    /** No node had a place for the run, so it waits for its turn on this one, or on whichever node holds it next. */
    record RunQueued(Instant at, String node) implements RunEvent {}

    /** A fresh sandbox is being made for the attempt on the node. */
    record AttemptStarting(Instant at, String node, int attempt) implements RunEvent {}

    /**
     * The agent's process runs.
     *
     * @param sandbox the engine's name of the sandbox
     */
    record AttemptStarted(Instant at, String node, int attempt, String sandbox) implements RunEvent {}

    /**
     * A limit was reached or is near.
     *
     * @param reason the limit
     * @param measurement the value seen
     * @param consequence what follows from it
     */
    record AlarmRaised(
            Instant at, String node, int attempt, KillReason reason, Measurement measurement, Consequence consequence)
            implements RunEvent {}

    /** What follows from an alarm. */
    enum Consequence {
        /** It stands in the history and the run goes on. */
        NOTED,
        /** The sandbox is being killed. */
        KILL
    }

    /**
     * The agent has tried to reach what it may not. The counts are those of the attempt up to here, so that the last event
     * of an attempt says it all; there are few of them, however often it tries.
     *
     * @param total packets and questions that were refused
     * @param destinations different destinations among them that were told apart
     * @param mostTried those that were tried most, at most {@value #DENIALS_MAX}
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
     * What an attempt did with its network; once, at its end, if it did anything.
     *
     * @param connections connections that it opened, or tried to, where its policy allows it
     * @param destinations different destinations among them that were told apart
     * @param bytesOut bytes that it sent, with all headers
     * @param bytesIn bytes that it received
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
     * The run was asked to stop.
     *
     * @param by who asked
     */
    record CancelRequested(Instant at, String node, Principal by) implements RunEvent {}

    /**
     * The attempt is over, by nothing that the agent did; whether there is a next one is the run's policy.
     *
     * @param by who drained the node; empty for what nobody asked for
     */
    record AttemptInterrupted(
            Instant at, String node, int attempt, Interruption cause, String detail, Optional<Principal> by)
            implements RunEvent {}

    /** The agent ended with exit code 0. */
    record RunSucceeded(Instant at, String node, int attempt, Usage usage) implements Terminal {}

    /**
     * The agent ended by itself with another exit code.
     *
     * @param exitCode the exit code, or 128 and the signal's number when a signal ended it
     * @param signal the signal's number when one ended it that Vivarium did not send
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

    /** The run was stopped because somebody asked for it. */
    record RunCancelled(Instant at, String node, int attempt, Usage usage) implements Terminal {}

    /** The attempt was interrupted and the run's policy allows no further one. */
    record RunLost(Instant at, String node, int attempt, Interruption cause, String detail) implements Terminal {
        @Override
        public Usage usage() {
            return Usage.NONE;
        }
    }
}
