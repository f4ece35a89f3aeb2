package dev.vivarium.node.run;

import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.RunDecision.Request;
import dev.vivarium.node.run.RunDecision.Step;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.EventAdapter;
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

/**
 * One run, from its submission to its end: a persistent, sharded actor. Commands become events, events are durable before
 * anything is acknowledged or done in the world, and what is done next {@link RunDecision} says. Each attempt is one
 * Sandbox child; when the entity stops, however it does, the child stops and destroys the sandbox. The run is remembered
 * while it is live, so that it comes back after a crash and decides by its policy; when it has ended it passivates.
 *
 * <p>No snapshots: a run has a dozen events, the alarms that are noted among them once each.
 */
public final class Run extends EventSourcedBehavior<Run.Command, DecodedEntry, JournaledRun> {
    /** The name of the entities under Cluster Sharding. */
    public static final EntityTypeKey<Command> TYPE_KEY = EntityTypeKey.create(Command.class, "run");

    /** What a run understands. */
    public sealed interface Command {}

    /**
     * Submits it; answers {@link SubmitAnswer}.
     *
     * @param by who submits it
     * @param until when the caller stops waiting for the answer, and says that nothing was accepted
     */
    public record Submit(
            Principal by,
            RunSpec spec,
            Digest submission,
            WhenFull whenFull,
            Instant until,
            ActorRef<SubmitAnswer> replyTo)
            implements Command, RunMessage {}

    /** Asks it to stop; answers {@link CancelAnswer}. */
    public record Cancel(Principal by, ActorRef<CancelAnswer> replyTo) implements Command, RunMessage {}

    /** Tells the watcher the present progress, and every further one until the run ends. Idempotent. */
    public record Watch(ActorRef<Progress> watcher) implements Command, RunMessage {}

    /** Asks where it stands among those that wait for a slot; answers {@link PositionAnswer}. */
    public record AskPosition(ActorRef<PositionAnswer> replyTo) implements Command, RunMessage {}

    /** The answer to {@link AskPosition}: empty for a run that does not wait. */
    public record PositionAnswer(Optional<QueueView> position) implements RunMessage {}

    /** The shard's word that the entity may stop now. */
    public enum Leave implements Command, RunMessage {
        INSTANCE
    }

    private record FromSandbox(SandboxReport report) implements Command {}

    private record SandboxStopped(int attempt) implements Command {}

    /** The submission's run is remembered, or could not be. */
    private record Remembered(Submit submit, List<RunEvent> events, Optional<Throwable> failure) implements Command {}

    /** The run is not remembered any more, or will be once more. */
    enum Forgotten implements Command {
        INSTANCE
    }

    /** Nobody has submitted the run for a while. */
    enum NeverBorn implements Command {
        INSTANCE
    }

    private record WatcherGone(ActorRef<Progress> watcher) implements Command {}

    /** Something may be to do: after an event or a recovery, when its turn for a slot has come, or when time has passed. */
    private enum Proceed implements Command {
        INSTANCE
    }

    private static final Duration LEASE_LOOK = Duration.ofMillis(200);
    /** How often a run that waits for the end of another node's lease asks by when that is: it may be known sooner. */
    private static final Duration EARLIER_LOOK = Duration.ofMillis(250);
    /** How long an entity stays that was woken for a run that was never born: its submission may be on its way. */
    private static final Duration UNBORN_MAX = Duration.ofMinutes(1);

    private final ActorContext<Command> context;
    private final RunId id;
    private final RunEnvironment environment;
    private final ActorRef<ClusterSharding.ShardCommand> shard;
    private final RunSlot slot;
    private final RunMemory memory;
    private final RunBirth birth;
    private final RunAttempt attempt;
    private final RunConditions conditions;
    private final RunWatchers watchers;
    private final RunFarewell farewell;

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
        this.id = id;
        this.environment = environment;
        this.shard = shard;
        ActorRef<Command> self = context.getSelf();
        this.slot = new RunSlot(id, shardName, environment.slots(), () -> self.tell(Proceed.INSTANCE));
        this.memory = new RunMemory(context, environment.sandbox().store().rememberedRuns(), id, shardName);
        this.birth = new RunBirth(id, environment, slot, context.getLog());
        this.attempt = new RunAttempt(context, id, environment.sandbox());
        this.conditions = new RunConditions(environment, slot, attempt);
        this.watchers = new RunWatchers(id);
        this.farewell = new RunFarewell(id, environment, slot, watchers, memory, context.getLog());
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
    public EventAdapter<DecodedEntry, JournalEntry> eventAdapter() {
        return RunEntries.standard();
    }

    @Override
    public EventHandler<JournaledRun, DecodedEntry> eventHandler() {
        return JournaledRun::after;
    }

    @Override
    public SignalHandler<JournaledRun> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::onRecovered)
                .onSignal(PostStop.instance(), run -> slot.leave())
                .build();
    }

    /**
     * Whatever was live has lost its sandbox with the entity that owned it. That is so when the entity is new, and when
     * the journal failed under it: then this very object goes on after its children were stopped.
     */
    private void onRecovered(JournaledRun run) {
        attempt.gone();
        memory.reset();
        conditions.recovered();
        if (run.state() instanceof RunState.Live live) {
            slot.claim(live);
            context.getSelf()
                    .tell(attempt.unsaved(live).<Command>map(FromSandbox::new).orElse(Proceed.INSTANCE));
            return;
        }
        // The slot that a submission had taken which the journal could not keep.
        slot.leave();
        if (run.state() instanceof RunState.Finished finished) {
            // It may have stopped between its last event and this.
            farewell.release(finished);
        } else {
            context.setReceiveTimeout(UNBORN_MAX, NeverBorn.INSTANCE);
        }
    }

    // ---- what is understood in which state

    @Override
    public CommandHandler<Command, DecodedEntry, JournaledRun> commandHandler() {
        CommandHandlerBuilder<Command, DecodedEntry, JournaledRun> builder = newCommandHandlerBuilder();
        builder.forState(run -> run.state() instanceof RunState.Unborn)
                .onCommand(Submit.class, this::onFirstSubmit)
                .onCommand(Remembered.class, this::onRemembered)
                .onCommand(NeverBorn.class, this::onNeverBorn)
                .onCommand(Cancel.class, (run, cancel) -> nothingToCancel(cancel, new CancelAnswer.NoSuchRun()))
                .onCommand(Watch.class, watch -> passivated());
        // Submitted and Queued: it waits for a slot, and nothing runs.
        builder.forState(run -> run.state() instanceof RunState.Submitted || run.state() instanceof RunState.Queued)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed);
        // Starting and Running: they differ in what the sandbox reports, not in what is asked.
        builder.forState(run -> run.state() instanceof RunState.Starting || run.state() instanceof RunState.Running)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed)
                .onCommand(FromSandbox.class, this::onReport)
                .onCommand(SandboxStopped.class, this::onSandboxStopped);
        builder.forState(run -> run.state() instanceof RunState.Interrupted)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed);
        builder.forState(run -> run.state() instanceof RunState.Finished)
                .onCommand(
                        Cancel.class, (run, cancel) -> nothingToCancel(cancel, new CancelAnswer.Noted(run.existing())))
                .onCommand(Watch.class, this::onWatchOfFinished);
        builder.forAnyState()
                .onCommand(Submit.class, this::onFurtherSubmit)
                .onCommand(Watch.class, this::onWatch)
                .onCommand(WatcherGone.class, this::onWatcherGone)
                .onCommand(AskPosition.class, this::onAskPosition)
                .onCommand(Forgotten.class, this::onForgotten)
                .onCommand(Leave.class, leave -> Effect().stop())
                .onAnyCommand(this::onUntimely);
        return builder.build();
    }

    /** A late report of an earlier attempt's sandbox, or a step that something else overtook. */
    private Effect<DecodedEntry, JournaledRun> onUntimely(JournaledRun run, Command command) {
        context.getLog()
                .debug(
                        "{} of run {} changes nothing while it is {}.",
                        command.getClass().getSimpleName(),
                        id,
                        run.state().getClass().getSimpleName());
        return Effect().none();
    }

    // ---- birth

    private Effect<DecodedEntry, JournaledRun> onFirstSubmit(JournaledRun run, Submit submit) {
        if (memory.phase() == RunMemory.Phase.CHANGING) {
            memory.defer(submit);
            return Effect().none();
        }
        RunBirth.Taken taken = birth.take(submit);
        if (taken instanceof RunBirth.Taken.Refused refused) {
            return refuse(submit, refused.answer());
        }
        // Before anything is durable that would have to be gone on with.
        List<RunEvent> events = ((RunBirth.Taken.With) taken).events();
        memory.remember(failure -> new Remembered(submit, events, failure));
        return Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> refuse(Submit submit, SubmitAnswer refusal) {
        passivate();
        return Effect().reply(submit.replyTo, refusal);
    }

    private Effect<DecodedEntry, JournaledRun> onRemembered(JournaledRun run, Remembered remembered) {
        Submit submit = remembered.submit;
        remembered.failure.ifPresent(
                failure -> context.getLog().warn("Run {} is not accepted: {}", id, failure.getMessage()));
        if (remembered.failure.isPresent() || birth.isTooLate(submit)) {
            slot.leave();
            memory.settle();
            return refuse(submit, new SubmitAnswer.NotDurable());
        }
        return persist(run, birth.withFirstAttempt(remembered.events, born -> conditions.of(born, Request.PROCEED)))
                .thenRun((JournaledRun after) -> {
                    context.cancelReceiveTimeout();
                    environment.metrics().submitted();
                    submit.replyTo.tell(new SubmitAnswer.Accepted(after.existing()));
                    if (after.state() instanceof RunState.Starting) {
                        begin(after);
                    } else {
                        context.getSelf().tell(Proceed.INSTANCE);
                    }
                    memory.settle();
                });
    }

    private Effect<DecodedEntry, JournaledRun> onFurtherSubmit(JournaledRun journaled, Submit submit) {
        RunState.Existing run = journaled.existing();
        if (run instanceof RunState.Finished) {
            passivate();
        }
        return Effect()
                .reply(
                        submit.replyTo,
                        run.submission().digest().equals(submit.submission)
                                ? new SubmitAnswer.AcceptedBefore(run)
                                : new SubmitAnswer.OtherSubmission(id));
    }

    /** It was remembered, and then its submission failed; or somebody asked for a run that does not exist. */
    private Effect<DecodedEntry, JournaledRun> onNeverBorn(JournaledRun run, NeverBorn neverBorn) {
        if (memory.phase() == RunMemory.Phase.SETTLED && birth.isOver()) {
            memory.forget(Forgotten.INSTANCE);
        }
        return passivated();
    }

    // ---- what is done next

    private Effect<DecodedEntry, JournaledRun> onProceed(JournaledRun run, Proceed proceed) {
        Step step = RunDecision.next(run.state(), conditions.of(run.state(), Request.PROCEED));
        List<RunEvent> events = step.events(now(), environment.nodeName());
        if (!events.isEmpty()) {
            return persist(run, events).thenRun((JournaledRun after) -> act(step, after));
        }
        if (step instanceof Step.HandOver) {
            slot.giveBack((RunState.Live) run.state());
            watchers.announce(run);
        } else if (step instanceof Step.AwaitLease) {
            lookAgainIn(LEASE_LOOK);
        } else if (step instanceof Step.AwaitEarlier) {
            Duration left = conditions.untilEarlierIsGone(run.state());
            lookAgainIn(left.compareTo(EARLIER_LOOK) < 0 ? left : EARLIER_LOOK);
        }
        // Else its turn for a slot comes as a message, or there is nothing to do.
        return Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> onCancel(JournaledRun run, Cancel cancel) {
        Step step = RunDecision.next(run.state(), conditions.of(run.state(), Request.CANCEL));
        if (step instanceof Step.StopAgain) {
            attempt.stop();
            return Effect().reply(cancel.replyTo, new CancelAnswer.Noted(run.existing()));
        }
        List<RunEvent> events = new ArrayList<>();
        events.add(new RunEvent.CancelRequested(now(), environment.nodeName(), cancel.by));
        events.addAll(step.events(now(), environment.nodeName()));
        return persist(run, events).thenRun((JournaledRun after) -> {
            cancel.replyTo.tell(new CancelAnswer.Noted(after.existing()));
            act(step, after);
        });
    }

    private Effect<DecodedEntry, JournaledRun> nothingToCancel(Cancel cancel, CancelAnswer answer) {
        passivate();
        return Effect().reply(cancel.replyTo, answer);
    }

    /** What is to be done in the world, now that the step is durable. */
    private void act(Step step, JournaledRun run) {
        if (step instanceof Step.Start) {
            begin(run);
            return;
        }
        if (step instanceof Step.Stop) {
            attempt.stop();
        }
        announce(run);
    }

    private void announce(JournaledRun run) {
        if (run.state() instanceof RunState.Finished) {
            farewell.ended(run);
            return;
        }
        watchers.announce(run);
        if (run.state() instanceof RunState.Interrupted) {
            context.getSelf().tell(Proceed.INSTANCE);
        }
    }

    private void lookAgainIn(Duration wait) {
        context.scheduleOnce(wait, context.getSelf(), Proceed.INSTANCE);
    }

    // ---- the attempt

    private void begin(JournaledRun run) {
        attempt.begin(run.existing(), FromSandbox::new, SandboxStopped::new);
        watchers.announce(run);
    }

    private Effect<DecodedEntry, JournaledRun> onReport(JournaledRun run, FromSandbox message) {
        SandboxReport report = message.report;
        if (report.attempt() != run.existing().attempt()) {
            return Effect().none();
        }
        if (report instanceof SandboxReport.OutputAdvanced advanced) {
            watchers.outputAdvanced(advanced.end());
            watchers.announce(run);
        }
        if (report instanceof SandboxReport.Ended ended) {
            attempt.ended(ended);
        }
        return ReportedEvent.of(
                        report, environment.nodeName(), environment.drain().by())
                .<Effect<DecodedEntry, JournaledRun>>map(
                        event -> persist(run, List.of(event)).thenRun((JournaledRun after) -> {
                            if (report instanceof SandboxReport.Ended) {
                                attempt.saved();
                            }
                            announce(after);
                        }))
                .orElseGet(() -> Effect().none());
    }

    /** After a last report there is no attempt that it could be of. */
    private Effect<DecodedEntry, JournaledRun> onSandboxStopped(JournaledRun run, SandboxStopped stopped) {
        return attempt.stopped(stopped.attempt) == RunDecision.Sandbox.VANISHED
                ? onProceed(run, Proceed.INSTANCE)
                : Effect().none();
    }

    // ---- watching

    private Effect<DecodedEntry, JournaledRun> onWatch(JournaledRun run, Watch watch) {
        if (watchers.add(watch.watcher) == RunWatchers.Admitted.NEW) {
            context.watchWith(watch.watcher, new WatcherGone(watch.watcher));
        }
        watch.watcher.tell(watchers.progress(run));
        return Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> onWatchOfFinished(JournaledRun run, Watch watch) {
        watchers.answerFinished(
                run, watch.watcher, environment.sandbox().store().output());
        return Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> onWatcherGone(JournaledRun run, WatcherGone gone) {
        watchers.remove(gone.watcher);
        return Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> onAskPosition(JournaledRun run, AskPosition ask) {
        if (!(run.state() instanceof RunState.Live)) {
            passivate();
        }
        return Effect().reply(ask.replyTo, new PositionAnswer(slot.position()));
    }

    // ---- leaving

    private Effect<DecodedEntry, JournaledRun> onForgotten(JournaledRun run, Forgotten forgotten) {
        // A submission that has waited for this may give birth to the run now, if it was never born.
        return memory.settle() > 0 ? Effect().none() : passivated();
    }

    private Effect<DecodedEntry, JournaledRun> passivated() {
        passivate();
        return Effect().none();
    }

    /** Asks the shard for {@link Leave}; what is being changed in the store's memory of the run is waited for. */
    private void passivate() {
        if (memory.phase() == RunMemory.Phase.SETTLED) {
            shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        }
    }

    private EffectBuilder<DecodedEntry, JournaledRun> persist(JournaledRun run, List<RunEvent> events) {
        return Effect().persist(run.entries(RunEntries.standard(), events));
    }

    private Instant now() {
        return environment.sandbox().clock().now();
    }
}
