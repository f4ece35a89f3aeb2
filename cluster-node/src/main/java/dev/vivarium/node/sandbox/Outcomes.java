package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.StartFailure;
import java.util.Optional;

/** Translates events into outcomes of an attempt. Pure. */
final class Outcomes {
    private Outcomes() {}

    /** A kill without a measurement: a cancellation, a drain, an operator. */
    static Outcome.Killed killed(KillReason reason) {
        return new Outcome.Killed(reason, Optional.empty());
    }

    static Outcome.Killed killed(KillReason reason, Measurement measurement) {
        return new Outcome.Killed(reason, Optional.of(measurement));
    }

    static Outcome.Killed killed(LimitWatch.Breach breach) {
        return killed(breach.reason(), breach.measurement());
    }

    /** The outcome when the frame reports the agent's own end. */
    static Optional<Outcome> agentEnd(GuestFrame frame) {
        if (frame instanceof GuestFrame.Exited exited && exited.process() == ProcessId.COMMAND.value()) {
            return Optional.of(new Outcome.Exited(exited.exitCode()));
        }
        return frame instanceof GuestFrame.Signaled signaled && signaled.process() == ProcessId.COMMAND.value()
                ? Optional.of(new Outcome.Signaled(signaled.signal()))
                : Optional.empty();
    }

    /** The outcome when the channel ended before the deadline. */
    static Outcome channelEnd(ClosedBecause why, Measurement outOfMemory) {
        return switch (why.cause()) {
            case OUT_OF_MEMORY -> killed(KillReason.MEMORY, outOfMemory);
            case PROTOCOL_VIOLATED -> killed(KillReason.OPERATOR);
            case SANDBOX_ENDED, ENGINE_LOST, CLOSED_HERE -> new Outcome.Interrupted(
                    Interruption.ENGINE_LOST, why.detail());
        };
    }

    /** The outcome when creation failed; empty when the run did not cause the failure and creation can be retried. */
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

    /** A secret of the tenant was removed between the run's acceptance and the start of an attempt. */
    static Outcome secretRemoved(SecretName name) {
        return new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.SECRET_REMOVED,
                "The tenant has no secret " + name + " any more: put it again with `vivarium secret put " + name
                        + "`, and submit the run again."));
    }

    /** No header can carry the value of a secret of the tenant that the run has the node inject. */
    static Outcome secretFitsNoHeader(SecretName name) {
        return new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.SECRETS_UNAVAILABLE,
                "No header can carry the secret " + name + ": its value must be 1 to "
                        + InjectedHeader.VALUE_LENGTH_MAX + " printable ASCII characters, without line ends and without"
                        + " blanks around it. Put another value, and submit the run again."));
    }

    /** The stored content of a file is missing or does not match the spec. */
    static Outcome contentUnavailable(String path) {
        return new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.FILE_REFUSED,
                "The content of the file " + path + " is not in the store; submit the run again."));
    }

    /** The store was away for longer than the limit. */
    static Outcome storeLost(Throwable why) {
        return new Outcome.Interrupted(Interruption.ENGINE_LOST, String.valueOf(why.getMessage()));
    }

    /** Another node may have taken the run over meanwhile, so an agent that has not started must not start here. */
    static Outcome clusterLost() {
        return new Outcome.Interrupted(
                Interruption.NODE_LOST, "The node lost sight of its cluster before the agent was started.");
    }
}
