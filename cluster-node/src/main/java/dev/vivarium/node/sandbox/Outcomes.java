package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.StartFailure;
import java.util.Optional;

/** What becomes of an attempt to which something happened. Pure. */
final class Outcomes {
    private Outcomes() {}

    /** A kill that nothing measured asks for: a cancellation, a drain, an operator. */
    static Outcome.Killed killed(KillReason reason) {
        return new Outcome.Killed(reason, Optional.empty());
    }

    static Outcome.Killed killed(KillReason reason, Measurement measurement) {
        return new Outcome.Killed(reason, Optional.of(measurement));
    }

    static Outcome.Killed killed(LimitWatch.Breach breach) {
        return killed(breach.reason(), breach.measurement());
    }

    /** The agent's end by itself, when a frame says so. */
    static Optional<Outcome> agentEnd(GuestFrame frame) {
        if (frame instanceof GuestFrame.Exited exited && exited.process() == ProcessId.COMMAND.value()) {
            return Optional.of(new Outcome.Exited(exited.exitCode()));
        }
        return frame instanceof GuestFrame.Signaled signaled && signaled.process() == ProcessId.COMMAND.value()
                ? Optional.of(new Outcome.Signaled(signaled.signal()))
                : Optional.empty();
    }

    /** The attempt whose channel ended before its deadline. */
    static Outcome channelEnd(ClosedBecause why, Measurement outOfMemory) {
        return switch (why.cause()) {
            case OUT_OF_MEMORY -> killed(KillReason.MEMORY, outOfMemory);
            case PROTOCOL_VIOLATED -> killed(KillReason.OPERATOR);
            case SANDBOX_ENDED, ENGINE_LOST, CLOSED_HERE -> new Outcome.Interrupted(
                    Interruption.ENGINE_LOST, why.detail());
        };
    }

    /** The attempt whose sandbox could not be made; empty when that was not the run's doing, and may be tried again. */
    static Optional<Outcome> notMade(Throwable why) {
        return why instanceof DriverException failed
                ? AgentStart.failure(failed).map(Outcome.NotStarted::new)
                : Optional.empty();
    }

    static Outcome engineLost(Throwable why) {
        return new Outcome.Interrupted(Interruption.ENGINE_LOST, String.valueOf(why.getMessage()));
    }

    static Outcome secretsUnavailable() {
        return new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.SECRETS_UNAVAILABLE, "The run's secrets could not be opened; submit it again."));
    }

    /** What the store has of a file is not what the spec says, or nothing. */
    static Outcome contentUnavailable(String path) {
        return new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.FILE_REFUSED,
                "The content of the file " + path + " is not in the store; submit the run again."));
    }

    /** The store was away for longer than it is waited for. */
    static Outcome storeLost(Throwable why) {
        return new Outcome.Interrupted(Interruption.ENGINE_LOST, String.valueOf(why.getMessage()));
    }

    /** The run may have been taken over while this node was away: what it did not begin it must not begin now. */
    static Outcome clusterLost() {
        return new Outcome.Interrupted(
                Interruption.NODE_LOST, "The node lost sight of its cluster before the agent was started.");
    }
}
