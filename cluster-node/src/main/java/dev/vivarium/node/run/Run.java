package dev.vivarium.node.run;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.sandbox.Sandbox;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.SnapshotSelectionCriteria;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerBuilder;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EffectBuilder;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.Recovery;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.slf4j.Logger;

/**
 * One run, from its submission to its end: a persistent, sharded actor. Commands become events, events are durable
 * before anybody hears of them, and only then something is done in the world, through one {@link Sandbox} child an
 * attempt. The shard is its parent. When it stops, however it does, its child stops and destroys the sandbox. It is
 * remembered while the run is live, so that it comes back after a crash and decides by the run's policy; when the run
 * has ended it passivates.
 *
 * <p>No snapshots: a run has a dozen events, the alarms that are noted among them once each.
 */
public final class Run extends EventSourcedBehavior<Run.Command, JournalEntry, JournaledRun> {
    /** The name of the entities under Cluster Sharding. */
    public static final EntityTypeKey<Command> TYPE_KEY = EntityTypeKey.create(Command.class, "run");

    /** What a run understands. */
    public sealed interface Command {}

    /**
     * Submits it; answers {@link SubmitAnswer}.
     *
     * @param until when whoever submits it stops waiting for the answer, and tells that nothing was accepted
     */
    public record Submit(
            RunSpec spec, Blob submission, WhenFull whenFull, Instant until, ActorRef<SubmitAnswer> replyTo)
            implements Command, RunMessage {}

    /** Asks it to stop; answers {@link CancelAnswer}. */
    public record Cancel(ActorRef<CancelAnswer> replyTo) implements Command, RunMessage {}

    /** Tells the watcher of every progress until it ends, the present one at once. Idempotent. */
    public record Watch(ActorRef<Progress> watcher) implements Command, RunMessage {}

    /** Asks where it stands among those that wait for a place; answers {@link PositionAnswer}. */
    public record AskPosition(ActorRef<PositionAnswer> replyTo) implements Command, RunMessage {}

    /** The shard's word that the entity may stop now. */
    public enum Leave implements Command, RunMessage {
        INSTANCE
    }

    private record FromSandbox(SandboxReport report) implements Command {}

    private record SandboxVanished(int attempt) implements Command {}

    /** The submission's run is remembered, or could not be. */
    private record Remembered(Submit submit, List<RunEvent> events, Optional<Throwable> failure) implements Command {}

    /** The run is not remembered any more, or will be once more. */
    private enum Forgotten implements Command {
        INSTANCE
    }

    /** Nobody has submitted the run for a while. */
    enum NeverBorn implements Command {
        INSTANCE
    }

    private record WatcherGone(ActorRef<Progress> watcher) implements Command {}

    /** What to do next, after an event or a recovery that leaves something to do. */
    private enum Proceed implements Command {
        INSTANCE
    }

    /** The answer to {@link AskPosition}: empty for a run that does not wait. */
    public record PositionAnswer(Optional<QueueView> position) implements RunMessage {}

    private static final int WATCHERS_MAX = 1_000;
    private static final Duration UNSURE_RETRY = Duration.ofMillis(200);
    /** How often a run that waits for the end of another node's lease asks by when that is: it may be known sooner. */
    private static final Duration WAIT_LOOK = Duration.ofMillis(250);
    /** How long an entity stays that was woken for a run that was never born: its submission may be on its way. */
    private static final Duration UNBORN_MAX = Duration.ofMinutes(1);
    /** Nobody tries to submit a run for so long after it got its name, so one that was not born by then never is. */
    private static final Duration BIRTH_MAX = Duration.ofHours(1);

    private final ActorContext<Command> context;
    private final ActorRef<Command> self;
    private final RunId id;
    private final RunEnvironment environment;
    private final ActorRef<ClusterSharding.ShardCommand> shard;
    private final String shardName;
    private final Set<ActorRef<Progress>> watchers = new HashSet<>();
    private Optional<ActorRef<Sandbox.Command>> sandbox = Optional.empty();
    /** How an attempt ended, until that is durable: what an agent has done is not done again because the journal failed. */
    private Optional<SandboxReport.Ended> unsaved = Optional.empty();

    /** Submissions that wait for what a first one, or the memory of the run, comes to. */
    private final List<Submit> waiting = new ArrayList<>();

    private Remembering remembering = Remembering.SETTLED;

    private long outputEnd;
    private long recoveredNanos;

    /** Whether what the store remembers of the run is just being changed. */
    private enum Remembering {
        SETTLED,
        UNDER_WAY
    }

    /**
     * The behavior of the entity of a run.
     *
     * @param shard what is told that the entity may stop; the same for all shards
     * @param shardName the shard that the entity is in
     */
    public static Behavior<Command> create(
            RunId id, RunEnvironment environment, ActorRef<ClusterSharding.ShardCommand> shard, String shardName) {
        return Behaviors.setup(context -> new Run(context, id, environment, shard, shardName));
    }

    private Run(
            ActorContext<Command> context,
            RunId id,
            RunEnvironment environment,
            ActorRef<ClusterSharding.ShardCommand> shard,
            String shardName) {
        super(
                RunPersistenceId.of(id),
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(5), 0.2));
        this.context = context;
        this.self = context.getSelf();
        this.id = id;
        this.environment = environment;
        this.shard = shard;
        this.shardName = shardName;
    }

    @Override
    public JournaledRun emptyState() {
        return JournaledRun.of(id);
    }

    /** There are no snapshots, so none is asked for. */
    @Override
    public Recovery recovery() {
        return Recovery.withSnapshotSelectionCriteria(SnapshotSelectionCriteria.none());
    }

    @Override
    public EventHandler<JournaledRun, JournalEntry> eventHandler() {
        return JournaledRun::after;
    }

    @Override
    public SignalHandler<JournaledRun> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::onRecovered)
                .onSignal(PostStop.instance(), ledger -> environment.places().leave(id))
                .build();
    }

    /**
     * Whatever was live has lost its sandbox with the entity that owned it. That is so when the entity is new, and when
     * the journal failed under it: then this very object goes on after its children were stopped.
     */
    private void onRecovered(JournaledRun ledger) {
        sandbox = Optional.empty();
        remembering = Remembering.SETTLED;
        waiting.clear();
        recoveredNanos = environment.sandbox().clock().nanos();
        if (!(ledger.state() instanceof RunState.Live)) {
            // The place that a submission had taken which the journal could not keep.
            environment.places().leave(id);
        }
        if (ledger.state() instanceof RunState.Live run) {
            // Whether there is a place for it is asked when it needs one.
            environment.places().claim(claim(run));
            context.getSelf().tell(whatNobodyWouldTellAgain(run).orElse(Proceed.INSTANCE));
        } else if (ledger.state() instanceof RunState.Finished) {
            // It may have stopped between its last event and this.
            shred(ledger);
            forget();
        } else {
            context.setReceiveTimeout(UNBORN_MAX, NeverBorn.INSTANCE);
        }
    }

    private Optional<Command> whatNobodyWouldTellAgain(RunState.Live run) {
        return unsaved.filter(end -> run.attempt() == end.attempt())
                .filter(end -> run instanceof RunState.Starting || run instanceof RunState.Running)
                .map(FromSandbox::new);
    }

    @Override
    public CommandHandler<Command, JournalEntry, JournaledRun> commandHandler() {
        CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder = newCommandHandlerBuilder();
        unborn(builder);
        submitted(builder);
        attempting(builder);
        interrupted(builder);
        finished(builder);
        anywhere(builder);
        return builder.build();
    }

    // ---- by state

    private void unborn(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forState(ledger -> ledger.state() instanceof RunState.Unborn)
                .onCommand(Submit.class, this::onFirstSubmit)
                .onCommand(Remembered.class, this::onRemembered)
                .onCommand(NeverBorn.class, this::onNeverBorn)
                .onCommand(Cancel.class, (ledger, cancel) -> {
                    passivate();
                    return Effect().reply(cancel.replyTo, new CancelAnswer.NoSuchRun());
                })
                .onCommand(Watch.class, (ledger, watch) -> {
                    passivate();
                    return Effect().none();
                });
    }

    private void submitted(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forState(ledger ->
                        ledger.state() instanceof RunState.Submitted || ledger.state() instanceof RunState.Queued)
                .onCommand(Cancel.class, (ledger, cancel) -> persist(
                                ledger,
                                new RunEvent.CancelRequested(now(), node()),
                                new RunEvent.RunCancelled(now(), node(), 0, Usage.NONE))
                        .thenRun((JournaledRun after) -> {
                            cancel.replyTo.tell(new CancelAnswer.Noted(existing(after)));
                            ended(after);
                        }))
                .onCommand(Proceed.class, this::onSubmitted);
    }

    /** A sandbox is being made or runs: Starting and Running differ in what the child reports, not in what is asked. */
    private void attempting(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forState(ledger ->
                        ledger.state() instanceof RunState.Starting || ledger.state() instanceof RunState.Running)
                .onCommand(Cancel.class, this::onCancelOfLive)
                .onCommand(FromSandbox.class, this::onReport)
                .onCommand(SandboxVanished.class, this::onSandboxVanished)
                .onCommand(Proceed.class, this::onRecoveredWithoutSandbox);
    }

    private void interrupted(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forState(ledger -> ledger.state() instanceof RunState.Interrupted)
                .onCommand(Cancel.class, (ledger, cancel) -> persist(
                                ledger,
                                new RunEvent.CancelRequested(now(), node()),
                                new RunEvent.RunCancelled(
                                        now(), node(), existing(ledger).attempt(), Usage.NONE))
                        .thenRun((JournaledRun after) -> {
                            cancel.replyTo.tell(new CancelAnswer.Noted(existing(after)));
                            ended(after);
                        }))
                .onCommand(Proceed.class, this::onInterrupted);
    }

    private void finished(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forState(ledger -> ledger.state() instanceof RunState.Finished)
                .onCommand(Watch.class, this::onWatchOfFinished);
    }

    private void anywhere(CommandHandlerBuilder<Command, JournalEntry, JournaledRun> builder) {
        builder.forAnyState()
                .onCommand(Submit.class, this::onFurtherSubmit)
                .onCommand(Cancel.class, (ledger, cancel) -> {
                    passivate();
                    return Effect().reply(cancel.replyTo, new CancelAnswer.Noted(existing(ledger)));
                })
                .onCommand(Watch.class, this::onWatch)
                .onCommand(WatcherGone.class, (ledger, gone) -> {
                    watchers.remove(gone.watcher);
                    return Effect().none();
                })
                .onCommand(AskPosition.class, this::onAskPosition)
                .onCommand(Forgotten.class, this::onForgotten)
                .onCommand(Leave.class, leave -> Effect().stop())
                .onAnyCommand((ledger, command) -> {
                    // A late word of a sandbox of an earlier attempt, or of a step that something else overtook.
                    context.getLog()
                            .debug(
                                    "{} of run {} changes nothing while it is {}.",
                                    command.getClass().getSimpleName(),
                                    id,
                                    ledger.state().getClass().getSimpleName());
                    return Effect().none();
                });
    }

    // ---- submission

    private Effect<JournalEntry, JournaledRun> onFirstSubmit(JournaledRun ledger, Submit submit) {
        if (remembering == Remembering.UNDER_WAY) {
            waiting.add(submit);
            return Effect().none();
        }
        if (isTooLate(submit)) {
            return refuse(submit, new SubmitAnswer.NotDurable());
        }
        // The place is taken before anything is durable, so that a burst cannot take one twice.
        if (environment.drain().isDraining()) {
            return refuse(submit, new SubmitAnswer.Full(environment.places().waiting()));
        }
        Instant now = now();
        RunEvent submitted = new RunEvent.RunSubmitted(now, node(), id, submit.spec, submit.submission);
        return switch (environment.places().offer(claim(submit.spec, NodeSlots.Seniority.NEW, now), submit.whenFull)) {
            case HOLDS -> remember(submit, submitted);
            case WAITS -> remember(submit, submitted, new RunEvent.RunQueued(now, node()));
            case QUEUE_FULL -> refuse(
                    submit, new SubmitAnswer.Full(environment.places().waiting()));
            case TENANT_FULL -> refuse(submit, new SubmitAnswer.TenantFull(submit.spec.tenant()));
        };
    }

    private Effect<JournalEntry, JournaledRun> refuse(Submit submit, SubmitAnswer refusal) {
        passivate();
        return Effect().reply(submit.replyTo, refusal);
    }

    /** Before anything is durable that somebody would have to go on with. */
    private Effect<JournalEntry, JournaledRun> remember(Submit submit, RunEvent... events) {
        remembering = Remembering.UNDER_WAY;
        context.pipeToSelf(
                environment.sandbox().store().rememberedRuns().remember(shardName, id),
                (done, failure) -> new Remembered(submit, List.of(events), Optional.ofNullable(failure)));
        return Effect().none();
    }

    private Effect<JournalEntry, JournaledRun> onRemembered(JournaledRun ledger, Remembered remembered) {
        Submit submit = remembered.submit;
        remembered.failure.ifPresent(
                failure -> context.getLog().warn("Run {} is not accepted: {}", id, failure.getMessage()));
        if (remembered.failure.isPresent() || isTooLate(submit)) {
            environment.places().leave(id);
            settle();
            return refuse(submit, new SubmitAnswer.NotDurable());
        }
        List<RunEvent> events = new ArrayList<>(remembered.events);
        if (mayStartAtOnce(remembered)) {
            // One durable write instead of two, for the most frequent way of a run.
            events.add(new RunEvent.AttemptStarting(now(), node(), 1));
        }
        return persist(ledger, events.toArray(RunEvent[]::new)).thenRun((JournaledRun after) -> {
            context.cancelReceiveTimeout();
            environment.metrics().submitted();
            submit.replyTo.tell(new SubmitAnswer.Accepted(existing(after)));
            if (after.state() instanceof RunState.Starting) {
                makeSandbox(after, 1);
            } else {
                context.getSelf().tell(Proceed.INSTANCE);
            }
            settle();
        });
    }

    /** A submission outlasts a store that is away, in the mailbox; whoever made it may have made another one by then. */
    private boolean isTooLate(Submit submit) {
        Duration late = Duration.between(submit.until, now());
        if (late.isNegative()) {
            return false;
        }
        context.getLog()
                .warn(
                        "Run {} is not accepted: its submission came {} ms after its time. Was the store away, or are the"
                                + " clocks of the nodes not in step?",
                        id,
                        late.toMillis());
        return true;
    }

    private boolean mayStartAtOnce(Remembered remembered) {
        return remembered.events.stream().allMatch(RunEvent.RunSubmitted.class::isInstance)
                && !environment.drain().isDraining()
                && environment.places().isHeldBy(id)
                && isSureToOwn();
    }

    /** What is remembered is as it should be: those that have waited for it are next. */
    private void settle() {
        remembering = Remembering.SETTLED;
        waiting.forEach(context.getSelf()::tell);
        waiting.clear();
    }

    /** It was remembered, and then its submission failed; or somebody asked for a run that there is not. */
    private Effect<JournalEntry, JournaledRun> onNeverBorn(JournaledRun ledger, NeverBorn neverBorn) {
        if (remembering == Remembering.SETTLED) {
            Duration named = Duration.between(Ulid.from(id.value()).getInstant(), now());
            if (named.compareTo(BIRTH_MAX) > 0) {
                forget();
            } else {
                passivate();
            }
        }
        return Effect().none();
    }

    private Effect<JournalEntry, JournaledRun> onFurtherSubmit(JournaledRun ledger, Submit submit) {
        RunState.Existing run = existing(ledger);
        SubmitAnswer answer = run.submission().digest().equals(submit.submission)
                ? new SubmitAnswer.AcceptedBefore(run)
                : new SubmitAnswer.OtherSubmission(id);
        if (run instanceof RunState.Finished) {
            passivate();
        }
        return Effect().reply(submit.replyTo, answer);
    }

    private Effect<JournalEntry, JournaledRun> onSubmitted(JournaledRun ledger, Proceed proceed) {
        if (environment.drain().isDraining()) {
            // Another node has submitted it here; it belongs to whoever holds the run next.
            environment.places().giveBack(claim((RunState.Live) ledger.state()));
            return Effect().none();
        }
        if (!environment.places().isHeldBy(id)) {
            return ledger.state() instanceof RunState.Submitted
                    ? persist(ledger, new RunEvent.RunQueued(now(), node())).thenRun(this::announce)
                    : Effect().none();
        }
        return isSureToOwn() ? startAttempt(ledger, 1) : proceedIn(UNSURE_RETRY);
    }

    // ---- attempts

    private Effect<JournalEntry, JournaledRun> startAttempt(JournaledRun ledger, int attempt) {
        return persist(ledger, new RunEvent.AttemptStarting(now(), node(), attempt))
                .thenRun((JournaledRun after) -> makeSandbox(after, attempt));
    }

    /** The attempt is durable: now there may be a sandbox for it. */
    private void makeSandbox(JournaledRun ledger, int attempt) {
        ActorRef<SandboxReport> reports = context.messageAdapter(SandboxReport.class, FromSandbox::new);
        ActorRef<Sandbox.Command> child = context.spawn(
                Sandbox.create(
                        environment.sandbox(),
                        new AttemptName(id, attempt),
                        existing(ledger).submission().spec(),
                        reports),
                "attempt-" + attempt);
        context.watchWith(child, new SandboxVanished(attempt));
        sandbox = Optional.of(child);
        announce(ledger);
    }

    private Effect<JournalEntry, JournaledRun> onReport(JournaledRun ledger, FromSandbox message) {
        SandboxReport report = message.report;
        if (report.attempt() != existing(ledger).attempt()) {
            return Effect().none();
        }
        if (report instanceof SandboxReport.Started started) {
            return persist(
                            ledger,
                            new RunEvent.AttemptStarted(started.at(), node(), started.attempt(), started.sandbox()))
                    .thenRun(this::announce);
        }
        if (report instanceof SandboxReport.Alarm alarm) {
            return persist(
                            ledger,
                            new RunEvent.AlarmRaised(
                                    alarm.at(),
                                    node(),
                                    alarm.attempt(),
                                    alarm.reason(),
                                    alarm.measurement(),
                                    alarm.consequence()))
                    .thenRun(this::announce);
        }
        if (report instanceof SandboxReport.Denied denied) {
            return persist(
                            ledger,
                            new RunEvent.EgressDenied(
                                    denied.at(),
                                    node(),
                                    denied.attempt(),
                                    denied.use().denied(),
                                    denied.use().destinations(),
                                    denied.use().mostTried()))
                    .thenRun(this::announce);
        }
        if (report instanceof SandboxReport.Reached reached) {
            return persist(
                            ledger,
                            new RunEvent.EgressUsed(
                                    reached.at(),
                                    node(),
                                    reached.attempt(),
                                    reached.use().opened(),
                                    reached.use().reached().destinations(),
                                    reached.use().traffic().bytesOut(),
                                    reached.use().traffic().bytesIn(),
                                    reached.use().reached().most()))
                    .thenRun(this::announce);
        }
        if (report instanceof SandboxReport.OutputAdvanced advanced) {
            outputEnd = advanced.end();
            announce(ledger);
            return Effect().none();
        }
        return onEnd(ledger, (SandboxReport.Ended) report);
    }

    private Effect<JournalEntry, JournaledRun> onEnd(JournaledRun ledger, SandboxReport.Ended ended) {
        sandbox = Optional.empty();
        unsaved = Optional.of(ended);
        RunEvent event = AttemptEnd.event(ended, node());
        return persist(ledger, event).thenRun((JournaledRun after) -> {
            unsaved = Optional.empty();
            if (after.state() instanceof RunState.Finished) {
                ended(after);
            } else {
                announce(after);
                context.getSelf().tell(Proceed.INSTANCE);
            }
        });
    }

    /** The child stopped without its last report: it crashed, and its PostStop has destroyed the sandbox. */
    private Effect<JournalEntry, JournaledRun> onSandboxVanished(JournaledRun ledger, SandboxVanished vanished) {
        if (sandbox.isEmpty() || vanished.attempt != existing(ledger).attempt()) {
            return Effect().none();
        }
        sandbox = Optional.empty();
        return interrupt(ledger, Interruption.ENGINE_LOST, "The sandbox's owner failed; see the node's log.");
    }

    private Effect<JournalEntry, JournaledRun> onRecoveredWithoutSandbox(JournaledRun ledger, Proceed proceed) {
        if (sandbox.isPresent()) {
            return Effect().none();
        }
        if (!isSureToOwn()) {
            return proceedIn(UNSURE_RETRY);
        }
        return interrupt(ledger, Interruption.NODE_LOST, "The node that held the attempt stopped without ending it.");
    }

    private Effect<JournalEntry, JournaledRun> interrupt(JournaledRun ledger, Interruption cause, String detail) {
        return persist(
                        ledger,
                        new RunEvent.AttemptInterrupted(
                                now(), node(), existing(ledger).attempt(), cause, detail))
                .thenRun((JournaledRun after) -> {
                    announce(after);
                    context.getSelf().tell(Proceed.INSTANCE);
                });
    }

    private Effect<JournalEntry, JournaledRun> onInterrupted(JournaledRun ledger, Proceed proceed) {
        RunState.Interrupted run = (RunState.Interrupted) ledger.state();
        if (!isSureToOwn()) {
            return proceedIn(UNSURE_RETRY);
        }
        if (run.submission().cancelRequestedAt().isPresent()) {
            return persist(ledger, new RunEvent.RunCancelled(now(), node(), run.attempt(), Usage.NONE))
                    .thenRun(this::ended);
        }
        if (!run.mayRestart()) {
            return persist(ledger, new RunEvent.RunLost(now(), node(), run.attempt(), run.cause(), run.detail()))
                    .thenRun(this::ended);
        }
        if (environment.drain().isDraining()) {
            // The next attempt belongs to whoever holds the run next: another node, or this one when it is back.
            environment.places().giveBack(claim(run));
            announce(ledger);
            return Effect().none();
        }
        if (!environment.places().isHeldBy(id)) {
            return Effect().none();
        }
        Duration wait = untilEarlierIsGone(run);
        return wait.isZero()
                ? startAttempt(ledger, run.attempt() + 1)
                : proceedIn(wait.compareTo(WAIT_LOOK) < 0 ? wait : WAIT_LOOK);
    }

    /** A node that has just woken up may have been given up: its runs are another's, and nothing may be begun. */
    private boolean isSureToOwn() {
        return environment.sandbox().lease().isFresh();
    }

    /** An attempt that was lost with its node may live on where this node's engine does not reach, for so long at most. */
    private Duration untilEarlierIsGone(RunState.Interrupted run) {
        return run.cause() == Interruption.NODE_LOST
                ? environment.takeoverWait().left(run.heldBy(), recoveredNanos)
                : Duration.ZERO;
    }

    private NodeSlots.Claim claim(RunState.Live run) {
        NodeSlots.Seniority seniority = run.attempt() == 0 ? NodeSlots.Seniority.NEW : NodeSlots.Seniority.INTERRUPTED;
        return claim(run.submission().spec(), seniority, run.submission().submittedAt());
    }

    private NodeSlots.Claim claim(RunSpec spec, NodeSlots.Seniority seniority, Instant submittedAt) {
        return new NodeSlots.Claim(
                id,
                spec.tenant(),
                Capacity.askedBy(spec),
                seniority,
                submittedAt,
                shardName,
                () -> self.tell(Proceed.INSTANCE));
    }

    private Effect<JournalEntry, JournaledRun> proceedIn(Duration wait) {
        context.scheduleOnce(wait, context.getSelf(), Proceed.INSTANCE);
        return Effect().none();
    }

    // ---- cancelling

    private Effect<JournalEntry, JournaledRun> onCancelOfLive(JournaledRun ledger, Cancel cancel) {
        if (existing(ledger).submission().cancelRequestedAt().isPresent()) {
            stopSandbox();
            return Effect().reply(cancel.replyTo, new CancelAnswer.Noted(existing(ledger)));
        }
        return persist(ledger, new RunEvent.CancelRequested(now(), node())).thenRun((JournaledRun after) -> {
            stopSandbox();
            announce(after);
            cancel.replyTo.tell(new CancelAnswer.Noted(existing(after)));
        });
    }

    private void stopSandbox() {
        sandbox.ifPresent(child -> child.tell(new Sandbox.Stop(KillReason.CANCELLED)));
    }

    // ---- watching

    private Effect<JournalEntry, JournaledRun> onWatch(JournaledRun ledger, Watch watch) {
        if (watchers.size() < WATCHERS_MAX && watchers.add(watch.watcher)) {
            context.watchWith(watch.watcher, new WatcherGone(watch.watcher));
        }
        // Beyond the limit a watcher still gets an answer each time it asks, only nothing in between.
        watch.watcher.tell(progress(ledger));
        return Effect().none();
    }

    /** The answer does not need the entity, which may have left (passivation) before the store has answered. */
    private Effect<JournalEntry, JournaledRun> onWatchOfFinished(JournaledRun ledger, Watch watch) {
        long known = outputEnd;
        environment
                .sandbox()
                .store()
                .output()
                .end(id)
                .whenComplete((end, failure) -> watch.watcher.tell(
                        new Progress(ledger.seq(), failure == null ? end : known, Progress.Life.ENDED)));
        return Effect().none();
    }

    private Effect<JournalEntry, JournaledRun> onAskPosition(JournaledRun ledger, AskPosition ask) {
        if (!(ledger.state() instanceof RunState.Live)) {
            passivate();
        }
        return Effect()
                .reply(ask.replyTo, new PositionAnswer(environment.places().position(id)));
    }

    private void announce(JournaledRun ledger) {
        Progress progress = progress(ledger);
        watchers.forEach(watcher -> watcher.tell(progress));
    }

    private Progress progress(JournaledRun ledger) {
        return new Progress(
                ledger.seq(),
                outputEnd,
                ledger.state() instanceof RunState.Finished ? Progress.Life.ENDED : Progress.Life.LIVE);
    }

    // ---- the end

    private void ended(JournaledRun ledger) {
        RunState.Finished run = (RunState.Finished) ledger.state();
        environment.metrics().ended(run);
        context.getLog()
                .info(
                        "Run {} {}{} after attempt {}.",
                        id,
                        run.status(),
                        run.reason().map(reason -> " (" + reason + ")").orElse(""),
                        run.attempt());
        environment.places().leave(id);
        announce(ledger);
        shred(ledger);
        forget();
    }

    /** The last thing that it does: then the entity may go. */
    private void forget() {
        Logger log = context.getLog();
        remembering = Remembering.UNDER_WAY;
        context.pipeToSelf(environment.sandbox().store().rememberedRuns().forget(shardName, id), (done, failure) -> {
            if (failure != null) {
                // Whoever wakes it next finds that it has ended, and does it again.
                log.info("Run {} is remembered for longer than needed: {}", id, failure.getMessage());
            }
            return Forgotten.INSTANCE;
        });
    }

    private Effect<JournalEntry, JournaledRun> onForgotten(JournaledRun ledger, Forgotten forgotten) {
        // Who waits for an answer of a run that was never born may give birth to it now.
        boolean isWantedStill = !waiting.isEmpty();
        settle();
        if (!isWantedStill) {
            passivate();
        }
        return Effect().none();
    }

    /** A run without secrets has no key; to ask the store for it would cost as much as an event. */
    private void shred(JournaledRun ledger) {
        if (existing(ledger).submission().spec().secrets().names().isEmpty()) {
            return;
        }
        Logger log = context.getLog();
        environment.sandbox().store().secrets().shred(id).whenComplete((done, failure) -> {
            if (failure != null) {
                log.error("The key to the secrets of run {} is not destroyed yet: {}", id, failure.getMessage());
            }
        });
    }

    private void passivate() {
        if (remembering == Remembering.SETTLED) {
            shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        }
    }

    // ---- small words

    private EffectBuilder<JournalEntry, JournaledRun> persist(JournaledRun ledger, RunEvent... events) {
        return Effect().persist(ledger.entries(List.of(events)));
    }

    private static RunState.Existing existing(JournaledRun ledger) {
        return (RunState.Existing) ledger.state();
    }

    private Instant now() {
        return environment.sandbox().clock().now();
    }

    private String node() {
        return environment.nodeName();
    }
}
