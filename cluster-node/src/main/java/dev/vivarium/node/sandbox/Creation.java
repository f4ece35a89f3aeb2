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
    private final long begunNanos;
    private final Optional<WaitingSandbox> waiting;
    private Optional<KillReason> stop = Optional.empty();
    private Optional<Guest.ChannelEnded> ended = Optional.empty();
    private int unconfirmedFrames;
    private boolean waitedInVain;

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
            Inbox inbox) {
        this(environment, attempt, id, waiting, spec, inbox, environment.clock().nanos());
    }

    private Creation(
            SandboxEnvironment environment,
            AttemptName attempt,
            SandboxId id,
            Optional<WaitingSandbox> waiting,
            RunSpec spec,
            Inbox inbox,
            long begunNanos) {
        this.environment = environment;
        this.attempt = attempt;
        this.id = id;
        this.waiting = waiting;
        this.spec = spec;
        this.inbox = inbox;
        this.begunNanos = begunNanos;
    }

    /** The same attempt's next try: a new sandbox with this id, in the time that is left. */
    Creation again(SandboxId fresh) {
        return new Creation(environment, attempt, fresh, Optional.empty(), spec, inbox, begunNanos);
    }

    /** Asks the driver, once, as the last step: when an earlier step fails, there is no sandbox to clean up. */
    void ask() {
        CompletionStage<Long> ready = environment
                .live()
                .goneBefore(attempt)
                .thenCompose(gone -> nothingLeftBefore())
                .thenCompose(none -> outputStart());
        CompletionStage<Made> made = waiting.isPresent()
                ? ready.exceptionallyCompose(why -> environment.sandboxes().giveBack(waiting.get(), why))
                        .thenCompose(start -> claim(waiting.get(), start))
                : ready.thenCompose(this::make);
        inbox.hear(made, sandbox -> sandbox, Failed::new);
    }

    private CompletionStage<Made> claim(WaitingSandbox taken, long outputStart) {
        return environment
                .sandboxes()
                .claim(taken, environment.template(spec), attempt, access(), Guest.listener(id, inbox.self()))
                .thenApply(claimed -> new Made(claimed.channel(), claimed.environment(), Birth.WARM, outputStart));
    }

    private CompletionStage<Made> make(long outputStart) {
        return environment
                .sandboxes()
                .make(
                        id,
                        environment.template(spec),
                        new Purpose.ForAttempt(attempt),
                        access(),
                        Guest.listener(id, inbox.self()))
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
    void made(Made sandbox, Guest guest) {
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
            waitedInVain = waiting.isPresent() && NodeSandboxes.isUnsuited(why);
            if (!waitedInVain) {
                inbox.log().warn("No sandbox yet for {}: {}", attempt, why.getMessage());
                inbox.after(environment.settings().engineRetry(), Retry.DUE, Retry.DUE);
            }
        }
        return end;
    }

    /** Whether the sandbox that waited could not serve, so that a new one is to be created at once. */
    boolean waitedInVain() {
        return waitedInVain;
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
