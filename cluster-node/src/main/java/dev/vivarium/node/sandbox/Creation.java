package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The making of an attempt's sandbox, and what comes before the driver's answer. Owned by one Sandbox actor; not safe for
 * use by others.
 */
final class Creation {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final SandboxId id;
    private final RunSpec spec;
    private final long begunNanos;
    private Optional<KillReason> stop = Optional.empty();
    private Optional<Guest.ChannelEnded> ended = Optional.empty();
    private int unconfirmedFrames;

    /** A sandbox that waits for its agent, and the offset at which the attempt's output begins. */
    record Made(SandboxChannel channel, Map<String, String> environment, long outputStart) {}

    Creation(SandboxEnvironment environment, AttemptName attempt, SandboxId id, RunSpec spec) {
        this.environment = environment;
        this.attempt = attempt;
        this.id = id;
        this.spec = spec;
        this.begunNanos = environment.clock().nanos();
    }

    /** Asks the driver. The sandbox comes last: when a step before it fails there is none, nor when the driver fails. */
    CompletionStage<Made> ask(ChannelListener listener) {
        ended = Optional.empty();
        unconfirmedFrames = 0;
        return environment
                .live()
                .goneBefore(attempt)
                .thenCompose(gone -> nothingLeftBefore())
                .thenCompose(none -> outputStart())
                .thenCompose(start -> environment
                        .sandboxes()
                        .make(
                                id,
                                environment.template(spec),
                                new Purpose.ForAttempt(attempt),
                                new NetworkAccess(spec.egress(), spec.limits().get(Limit.EGRESS_REQUESTS)),
                                listener)
                        .thenApply(made -> new Made(made.channel(), made.environment(), start)));
    }

    /** What an earlier attempt left to the reaper, when the engine was away, must be gone before the agent runs again. */
    private CompletionStage<Integer> nothingLeftBefore() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0)
                : environment.sandboxes().destroyBefore(attempt);
    }

    /** From here on the node of an earlier attempt that was taken for dead writes nothing any more. */
    private CompletionStage<Long> outputStart() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0L)
                : environment.store().output().begin(attempt.run(), attempt.attempt());
    }

    /** Whether the sandbox exists is only known with the driver's answer; then it is destroyed. */
    void stop(KillReason reason) {
        stop = Optional.of(reason);
    }

    /** Why the attempt is to end before it has begun, if it is. */
    Optional<KillReason> stopped() {
        return stop;
    }

    /** The channel may end before the driver's answer, which then stands for a sandbox that is no more. */
    void channelEnded(Guest.ChannelEnded early) {
        ended = Optional.of(early);
    }

    Optional<Guest.ChannelEnded> ended() {
        return ended;
    }

    /** A guest has nothing to say before it is asked; it is only confirmed later, so that it is not held up then. */
    void frameArrived() {
        unconfirmedFrames++;
    }

    int unconfirmedFrames() {
        return unconfirmedFrames;
    }

    /** Whether the engine has been away for as long as it may be. */
    boolean isOverdue() {
        Duration waited = Duration.ofNanos(environment.clock().nanos() - begunNanos);
        return waited.toMillis() >= environment.settings().engineWait().toMillis();
    }
}
