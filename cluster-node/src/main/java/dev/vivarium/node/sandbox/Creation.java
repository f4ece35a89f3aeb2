package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.pool.WaitingSandbox;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SandboxStart.Birth;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Creates an attempt's sandbox, and keeps what happens before the driver answers. Used by one Sandbox actor; not
 * thread-safe.
 */
final class Creation {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final SandboxId id;
    private final RunSpec spec;
    private final Inbox inbox;
    private final Guest guest;
    private final long begunNanos;
    private Optional<KillReason> stop = Optional.empty();
    private Optional<Guest.ChannelEnded> ended = Optional.empty();
    private int unconfirmedFrames;
    /** Until the first try. */
    private Optional<WaitingSandbox> waiting;

    /** Results of asking the driver, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    /**
     * The sandbox is ready for its agent.
     *
     * @param birth whether it waited for a run
     * @param outputStart where the attempt's output begins
     */
    record Made(SandboxChannel channel, Map<String, String> environment, Birth birth, long outputStart)
            implements Message {}

    /** The sandbox could not be created. */
    record Failed(Throwable why) implements Message {}

    /** Time to ask the driver again. */
    enum Retry implements Message {
        DUE
    }

    /** @param waiting the sandbox with this id, if there is one already */
    Creation(
            SandboxEnvironment environment,
            AttemptName attempt,
            SandboxId id,
            Optional<WaitingSandbox> waiting,
            RunSpec spec,
            Inbox inbox,
            Guest guest) {
        this.waiting = waiting;
        this.environment = environment;
        this.attempt = attempt;
        this.id = id;
        this.spec = spec;
        this.inbox = inbox;
        this.guest = guest;
        this.begunNanos = environment.clock().nanos();
    }

    /** Asks the driver, as the last step: when an earlier step fails, there is no sandbox to clean up. */
    void ask() {
        ended = Optional.empty();
        unconfirmedFrames = 0;
        CompletionStage<Long> ready = environment
                .live()
                .goneBefore(attempt)
                .thenCompose(gone -> nothingLeftBefore())
                .thenCompose(none -> outputStart());
        Optional<WaitingSandbox> taken = waiting;
        waiting = Optional.empty();
        CompletionStage<Made> made = taken.isPresent()
                ? ready.exceptionallyCompose(why -> environment.sandboxes().giveBack(taken.get(), why))
                        .thenCompose(start -> claim(taken.get(), start))
                : ready.thenCompose(this::make);
        inbox.hear(made, sandbox -> sandbox, Failed::new);
    }

    private CompletionStage<Made> claim(WaitingSandbox taken, long outputStart) {
        return environment
                .sandboxes()
                .claim(taken, environment.template(spec), attempt, access(), Guest.listener(inbox.self()))
                .thenApply(claimed -> new Made(claimed.channel(), claimed.environment(), Birth.WARM, outputStart))
                .exceptionallyCompose(failure ->
                        NodeSandboxes.isUnsuited(failure) ? make(outputStart) : CompletableFuture.failedStage(failure));
    }

    private CompletionStage<Made> make(long outputStart) {
        return environment
                .sandboxes()
                .make(
                        id,
                        environment.template(spec),
                        new Purpose.ForAttempt(attempt),
                        access(),
                        Guest.listener(inbox.self()))
                .thenApply(made -> new Made(made.channel(), made.environment(), Birth.COLD, outputStart));
    }

    private NetworkAccess access() {
        return new NetworkAccess(spec.egress(), spec.limits().get(Limit.EGRESS_REQUESTS));
    }

    /**
     * Waits until sandboxes of earlier attempts are gone, including those left to the reaper while the engine was away.
     */
    private CompletionStage<Integer> nothingLeftBefore() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0)
                : environment.sandboxes().destroyBefore(attempt);
    }

    /** Registers the attempt's first output offset; the store rejects writes of earlier attempts from then on. */
    private CompletionStage<Long> outputStart() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0L)
                : environment.store().output().begin(attempt.run(), attempt.attempt());
    }

    /** Call when the driver has answered: opens the way to the guest. */
    void made(Made sandbox) {
        guest.open(sandbox.channel());
        for (int frame = 0; frame < unconfirmedFrames; frame++) {
            guest.confirm();
        }
    }

    /** The attempt's outcome; empty when the driver will be asked again. */
    Optional<Outcome> failed(Throwable why) {
        Optional<Outcome> end = stop.<Outcome>map(Outcomes::killed)
                .or(() -> Outcomes.notMade(why))
                .or(() -> isOverdue() ? Optional.of(Outcomes.engineLost(why)) : Optional.empty());
        if (end.isEmpty()) {
            inbox.log().warn("No sandbox yet for {}: {}", attempt, why.getMessage());
            inbox.after(environment.settings().engineRetry(), Retry.DUE, Retry.DUE);
        }
        return end;
    }

    /**
     * Asks for the attempt's end. Returns its outcome when no creation is in progress; otherwise the sandbox is
     * destroyed once the driver has answered.
     */
    Optional<Outcome> stop(KillReason reason) {
        stop = Optional.of(reason);
        return inbox.isAwaited(Retry.DUE) ? Optional.of(Outcomes.killed(reason)) : Optional.empty();
    }

    /** Why the attempt is to end before its agent has started, if it is. */
    Optional<KillReason> stopped() {
        return stop;
    }

    /** The channel may end before the driver's answer, which is then about a sandbox that is already gone. */
    void channelEnded(Guest.ChannelEnded early) {
        ended = Optional.of(early);
    }

    Optional<Guest.ChannelEnded> ended() {
        return ended;
    }

    /**
     * A guest sends nothing before it is asked. The frame is confirmed later, so that the guest is not held up then.
     */
    void frameArrived() {
        unconfirmedFrames++;
    }

    /** Whether the engine has been away for longer than is tolerated. */
    private boolean isOverdue() {
        Duration waited = Duration.ofNanos(environment.clock().nanos() - begunNanos);
        return waited.toMillis() >= environment.settings().engineWait().toMillis();
    }
}
