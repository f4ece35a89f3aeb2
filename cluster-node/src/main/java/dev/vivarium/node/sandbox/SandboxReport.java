package dev.vivarium.node.sandbox;

import dev.vivarium.node.network.EgressUse;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.Optional;

/** What a Sandbox actor tells the Run that it serves, each with the attempt that fences it. */
public sealed interface SandboxReport {
    /** The attempt that the sandbox serves. */
    int attempt();

    /** The agent's process runs. */
    record Started(int attempt, Instant at, String sandbox) implements SandboxReport {}

    /** A limit was reached or is near. */
    record Alarm(int attempt, Instant at, KillReason reason, Measurement measurement, Consequence consequence)
            implements SandboxReport {}

    /** The agent has tried to reach what it may not; counted since the attempt began. */
    record Denied(int attempt, Instant at, EgressUse use) implements SandboxReport {}

    /** What the agent did with its network, from its beginning to its end. */
    record Reached(int attempt, Instant at, EgressUse use) implements SandboxReport {}

    /**
     * More of the output can be read.
     *
     * @param end the offset after its last byte
     */
    record OutputAdvanced(int attempt, long end) implements SandboxReport {}

    /** The sandbox is gone and all of its output is kept; the last report. */
    record Ended(int attempt, Instant at, Outcome outcome, Usage usage) implements SandboxReport {}

    /** How an attempt ended. */
    sealed interface Outcome {
        /** The agent ended by itself. */
        record Exited(int exitCode) implements Outcome {}

        /** A signal ended the agent that this node did not send. */
        record Signaled(int signal) implements Outcome {}

        /** The agent never ran. */
        record NotStarted(StartFailure failure) implements Outcome {}

        /** This node ended it. */
        record Killed(KillReason reason, Optional<Measurement> measurement) implements Outcome {}

        /** It was ended by something that was neither the agent's doing nor this node's decision. */
        record Interrupted(Interruption cause, String detail) implements Outcome {}
    }
}
