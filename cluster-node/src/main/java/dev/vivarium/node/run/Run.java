package dev.vivarium.node.run;

import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.RunDecision.Request;
import dev.vivarium.node.run.RunDecision.Step;
import dev.vivarium.node.run.Runs.Interest;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
 * One run, from its submission to its end: a persistent, sharded actor. Commands become events, events are durable
 * before anything is acknowledged or done outside, and {@link RunDecision} decides the next step. Each attempt is one
 * Sandbox child; when the entity stops for whatever reason, the child stops and destroys the sandbox. The store
 * remembers the run while it is live, so that it is recovered after a crash and continues according to its policy; when
 * it has ended, the entity passivates.
 *
 * <p>No snapshots: a run has about a dozen events, including at most one noted alarm of each kind.
 */
public final class Run extends EventSourcedBehavior<Run.Command, DecodedEntry, JournaledRun> {
    /** The name of the entity type in Cluster Sharding. */
    public static final EntityTypeKey<Command> TYPE_KEY = EntityTypeKey.create(Command.class, "run");

    /** The commands of a run. */
    public sealed interface Command
            permits Submit,
                    Cancel,
                    Renew,
                    Watch,
                    AskPosition,
                    Leave,
                    Proceed,
                    NeverBorn,
                    RunAttempt.Message,
                    RunMemory.Message,
                    RunWatchers.Gone {}

    /**
     * Submit the run; answered with {@link SubmitAnswer}.
     *
     * @param by the submitting principal
     * @param origin where its request came from; empty when a node of an earlier version sends it
     * @param until the caller's deadline, after which it reports the submission as not accepted
     */
    public record Submit(
            Principal by,
            Optional<Origin> origin,
            RunSpec spec,
            Digest submission,
            WhenFull whenFull,
            Instant until,
            ActorRef<SubmitAnswer> replyTo)
            implements Command, RunMessage {
        /** Nodes of an earlier version do not say where requests come from. */
        public Submit {
            origin = Objects.requireNonNullElse(origin, Optional.empty());
        }
    }

    /** Cancel the run; answered with {@link CancelAnswer}. */
    public record Cancel(Principal by, Optional<Origin> origin, ActorRef<CancelAnswer> replyTo)
            implements Command, RunMessage {
        /** Nodes of an earlier version do not say where requests come from. */
        public Cancel {
            origin = Objects.requireNonNullElse(origin, Optional.empty());
        }
    }

    /**
     * Move the run's deadline; answered with {@link RenewAnswer}.
     *
     * @param until the caller's deadline, after which the request is ignored
     */
    public record Renew(
            Principal by, Optional<Origin> origin, Renewal renewal, Instant until, ActorRef<RenewAnswer> replyTo)
            implements Command, RunMessage {
        /** Nodes of an earlier version do not say where requests come from. */
        public Renew {
            origin = Objects.requireNonNullElse(origin, Optional.empty());
        }
    }

    /** Send the watcher the current progress, and every later one of interest until the run ends. Idempotent. */
    public record Watch(ActorRef<Progress> watcher, Interest interest) implements Command, RunMessage {
        /** Nodes of an earlier version ask for everything. */
        public Watch {
            interest = Objects.requireNonNullElse(interest, Interest.OUTPUT);
        }
    }

    /** Query the run's position in the queue; answered with {@link PositionAnswer}. */
    public record AskPosition(ActorRef<PositionAnswer> replyTo) implements Command, RunMessage {}

    /** The answer to {@link AskPosition}; empty for a run that does not wait. */
    public record PositionAnswer(Optional<QueueView> position) implements RunMessage {}

    /** From the shard: the entity may stop now. */
    public enum Leave implements Command, RunMessage {
        INSTANCE
    }

    /** The run was not submitted for a while. */
    enum NeverBorn implements Command {
        INSTANCE
    }

    /**
     * There may be something to do: after an event or a recovery, when the run gets a slot, or when time has passed.
     */
    enum Proceed implements Command {
        INSTANCE
    }

    private final ActorContext<Command> context;
    private final RunId id;
    private final RunEnvironment environment;
    private final RunSlot slot;
    private final RunMemory memory;
    private final RunBirth birth;
    private final RunAttempt attempt;
    private final RunConditions conditions;
    private final RunWatchers watchers;
    private final RunSteps steps;

    /**
     * The behavior of a run's entity.
     *
     * @param shard receives passivation requests; the same for all shards
     * @param shardName the entity's shard
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
        ActorRef<Command> self = context.getSelf();
        SandboxEnvironment sandbox = environment.sandbox();
        this.slot = new RunSlot(
                id, shardName, environment.slots(), environment.disksInMemory(), () -> self.tell(Proceed.INSTANCE));
        this.memory = new RunMemory(context, sandbox.store().rememberedRuns(), id, shardName, shard);
        this.birth = new RunBirth(id, environment, slot, memory, context.getLog());
        this.attempt = new RunAttempt(context, id, sandbox);
        this.conditions = new RunConditions(environment, slot, attempt);
        this.watchers = new RunWatchers(context, id, environment);
        RunFarewell farewell = new RunFarewell(id, environment, slot, watchers, memory, context.getLog());
        this.steps = new RunSteps(context, slot, memory, attempt, conditions, watchers, farewell);
    }

    @Override
    public JournaledRun emptyState() {
        return JournaledRun.of(id);
    }

    /** There are no snapshots, so none is loaded. */
    @Override
    public Recovery recovery() {
        return Recovery.withSnapshotSelectionCriteria(SnapshotSelectionCriteria.none());
    }

    @Override
    public EventAdapter<DecodedEntry, Object> eventAdapter() {
        return RunEntries.standard();
    }

    @Override
    public EventHandler<JournaledRun, DecodedEntry> eventHandler() {
        return JournaledRun::after;
    }

    @Override
    public SignalHandler<JournaledRun> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), steps::recovered)
                .onSignal(PostStop.instance(), run -> slot.leave())
                .build();
    }

    // ---- commands by state

    @Override
    public CommandHandler<Command, DecodedEntry, JournaledRun> commandHandler() {
        CommandHandlerBuilder<Command, DecodedEntry, JournaledRun> builder = newCommandHandlerBuilder();
        builder.forState(run -> run.state() instanceof RunState.Unborn)
                .onCommand(Submit.class, this::onFirstSubmit)
                .onCommand(RunMemory.Remembered.class, this::onRemembered)
                .onCommand(NeverBorn.class, this::onNeverBorn)
                .onCommand(Cancel.class, (run, cancel) -> nothingToCancel(cancel, new CancelAnswer.NoSuchRun()))
                .onCommand(Renew.class, (run, renew) -> nothingToRenew(renew, new RenewAnswer.NoSuchRun()))
                .onCommand(Watch.class, watch -> stay(memory::leave));
        // Submitted and Queued: the run waits for a slot and has no sandbox.
        builder.forState(run -> run.state() instanceof RunState.Submitted || run.state() instanceof RunState.Queued)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed);
        // Starting and Running accept the same commands; only the sandbox's reports differ.
        builder.forState(run -> run.state() instanceof RunState.Starting || run.state() instanceof RunState.Running)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed)
                .onCommand(RunAttempt.Reported.class, this::onReport)
                .onCommand(RunAttempt.Stopped.class, this::onSandboxStopped);
        builder.forState(run -> run.state() instanceof RunState.Interrupted)
                .onCommand(Cancel.class, this::onCancel)
                .onCommand(Proceed.class, this::onProceed);
        builder.forState(run -> run.state() instanceof RunState.Finished)
                .onCommand(
                        Cancel.class, (run, cancel) -> nothingToCancel(cancel, new CancelAnswer.Noted(run.existing())))
                .onCommand(
                        Renew.class,
                        (run, renew) -> nothingToRenew(renew, new RenewAnswer.Refused(RenewAnswer.Reason.ENDED)))
                .onCommand(Watch.class, (run, watch) -> stay(() -> watchers.answerFinished(watch.watcher, run)));
        builder.forAnyState()
                .onCommand(Submit.class, this::onFurtherSubmit)
                .onCommand(Renew.class, this::onRenew)
                .onCommand(Watch.class, (run, watch) -> stay(() -> watchers.add(watch, run)))
                .onCommand(RunWatchers.Gone.class, gone -> stay(() -> watchers.remove(gone)))
                .onCommand(AskPosition.class, this::onAskPosition)
                .onCommand(RunMemory.Forgotten.class, this::onForgotten)
                .onCommand(Leave.class, leave -> Effect().stop())
                .onAnyCommand(this::onUntimely);
        return builder.build();
    }

    /** A late report of an earlier attempt's sandbox, or a message overtaken by another event. */
    private Effect<DecodedEntry, JournaledRun> onUntimely(JournaledRun run, Command command) {
        context.getLog()
                .debug(
                        "{} of run {} changes nothing while it is {}.",
                        command.getClass().getSimpleName(),
                        id,
                        run.state().getClass().getSimpleName());
        return Effect().none();
    }

    // ---- submission

    private Effect<DecodedEntry, JournaledRun> onFirstSubmit(JournaledRun run, Submit submit) {
        RunBirth.Beginning beginning = birth.begin(submit);
        if (beginning instanceof RunBirth.Refused refused) {
            return refuse(submit, refused.answer());
        }
        return beginning instanceof RunBirth.Ready ready
                ? bear(run, ready.remembered())
                : Effect().none();
    }

    private Effect<DecodedEntry, JournaledRun> refuse(Submit submit, SubmitAnswer refusal) {
        memory.leave();
        return Effect().reply(submit.replyTo, refusal);
    }

    private Effect<DecodedEntry, JournaledRun> onRemembered(JournaledRun run, RunMemory.Remembered remembered) {
        Optional<SubmitAnswer> refusal = birth.prevented(remembered);
        if (refusal.isPresent()) {
            return refuse(remembered.submit(), refusal.get());
        }
        return bear(run, remembered);
    }

    private Effect<DecodedEntry, JournaledRun> bear(JournaledRun run, RunMemory.Remembered remembered) {
        return persist(run, birth.events(remembered, born -> conditions.next(born, Request.PROCEED)))
                .thenRun((JournaledRun after) -> {
                    birth.completed(remembered, after.existing());
                    steps.born(after);
                });
    }

    private Effect<DecodedEntry, JournaledRun> onFurtherSubmit(JournaledRun journaled, Submit submit) {
        RunState.Existing run = journaled.existing();
        if (run instanceof RunState.Finished) {
            memory.leave();
        }
        return Effect().reply(submit.replyTo, birth.again(run, submit));
    }

    /** Its submission failed after the run was recorded, or someone asked for a run that does not exist. */
    private Effect<DecodedEntry, JournaledRun> onNeverBorn(JournaledRun run, NeverBorn neverBorn) {
        if (memory.phase() == RunMemory.Phase.SETTLED && birth.isOver()) {
            memory.forget();
        }
        return stay(memory::leave);
    }

    // ---- the next step

    private Effect<DecodedEntry, JournaledRun> onProceed(JournaledRun run, Proceed proceed) {
        Step step = conditions.next(run.state(), Request.PROCEED);
        return persist(run, step.events(now(), environment.nodeName()))
                .thenRun((JournaledRun after) -> steps.carryOut(step, after));
    }

    private Effect<DecodedEntry, JournaledRun> onCancel(JournaledRun run, Cancel cancel) {
        Step step = conditions.next(run.state(), Request.CANCEL);
        List<RunEvent> events = new ArrayList<>();
        if (!(step instanceof Step.StopAgain)) {
            events.add(new RunEvent.CancelRequested(now(), environment.nodeName(), cancel.by, cancel.origin));
        }
        events.addAll(step.events(now(), environment.nodeName()));
        return persist(run, events).thenRun((JournaledRun after) -> {
            cancel.replyTo.tell(new CancelAnswer.Noted(after.existing()));
            steps.carryOut(step, after);
        });
    }

    private Effect<DecodedEntry, JournaledRun> nothingToCancel(Cancel cancel, CancelAnswer answer) {
        memory.leave();
        return Effect().reply(cancel.replyTo, answer);
    }

    // ---- the deadline

    /** A caller that has been told that nothing is certain may have asked for another deadline since. */
    private Effect<DecodedEntry, JournaledRun> onRenew(JournaledRun run, Renew renew) {
        if (!now().isBefore(renew.until)) {
            return Effect().none();
        }
        RenewalDecision.Verdict verdict =
                RenewalDecision.decide(run.existing(), attempt.condition(), renew.renewal, environment.renewalsMax());
        if (verdict instanceof RenewalDecision.Verdict.AskSandbox ask) {
            return stay(() -> attempt.renew(renew, ask.limits()));
        }
        return verdict instanceof RenewalDecision.Verdict.Note note
                ? renewed(run, renew, note.limits())
                : Effect()
                        .reply(
                                renew.replyTo,
                                new RenewAnswer.Refused(((RenewalDecision.Verdict.Refuse) verdict).reason()));
    }

    /** The sandbox has moved its deadline already: what it does from here on follows the new one. */
    private Effect<DecodedEntry, JournaledRun> onRenewal(JournaledRun run, SandboxReport.RenewalReport report) {
        Optional<RunAttempt.Asked> asked = attempt.answered(report);
        if (asked.isEmpty()) {
            return Effect().none();
        }
        Renew renew = asked.get().renew();
        return report instanceof SandboxReport.NotRenewed refused
                ? Effect().reply(renew.replyTo, new RenewAnswer.Refused(RenewalDecision.reason(refused.why())))
                : renewed(run, renew, asked.get().limits());
    }

    private Effect<DecodedEntry, JournaledRun> renewed(JournaledRun run, Renew renew, Limits limits) {
        List<RunEvent> events =
                RenewalDecision.events(run.existing(), limits, renew.by, renew.origin, now(), environment.nodeName());
        return persist(run, events).thenRun((JournaledRun after) -> {
            renew.replyTo.tell(new RenewAnswer.Renewed(after.existing()));
            steps.announce(after);
        });
    }

    private Effect<DecodedEntry, JournaledRun> nothingToRenew(Renew renew, RenewAnswer answer) {
        memory.leave();
        return Effect().reply(renew.replyTo, answer);
    }

    /** What an ended attempt has left unanswered is decided again, by what became of the run. */
    private void renewAgain() {
        attempt.unanswered().forEach(context.getSelf()::tell);
    }

    // ---- the attempt

    private Effect<DecodedEntry, JournaledRun> onReport(JournaledRun run, RunAttempt.Reported message) {
        SandboxReport report = message.report();
        if (report.attempt() != run.existing().attempt()) {
            return Effect().none();
        }
        if (report instanceof SandboxReport.RenewalReport renewal) {
            return onRenewal(run, renewal);
        }
        watchers.heard(report, run);
        attempt.heard(report);
        List<RunEvent> events = ReportedEvent.of(
                report, environment.nodeName(), environment.drain().by());
        if (events.isEmpty()) {
            return Effect().none();
        }
        return persist(run, events).thenRun((JournaledRun after) -> {
            attempt.saved(report);
            steps.announce(after);
            if (report instanceof SandboxReport.Ended) {
                renewAgain();
            }
        });
    }

    /** After its last report there is no current attempt for this to belong to. */
    private Effect<DecodedEntry, JournaledRun> onSandboxStopped(JournaledRun run, RunAttempt.Stopped stopped) {
        if (attempt.stopped(stopped.attempt()) != RunDecision.Sandbox.VANISHED) {
            return Effect().none();
        }
        renewAgain();
        return onProceed(run, Proceed.INSTANCE);
    }

    // ---- reading

    private Effect<DecodedEntry, JournaledRun> onAskPosition(JournaledRun run, AskPosition ask) {
        if (!(run.state() instanceof RunState.Live)) {
            memory.leave();
        }
        return Effect().reply(ask.replyTo, new PositionAnswer(slot.position()));
    }

    // ---- leaving

    private Effect<DecodedEntry, JournaledRun> onForgotten(JournaledRun run, RunMemory.Forgotten forgotten) {
        // A submission deferred until now may create the run, if it was never submitted.
        return memory.settle() > 0 ? Effect().none() : stay(memory::leave);
    }

    // ---- what all states share

    private Effect<DecodedEntry, JournaledRun> stay(Runnable effect) {
        effect.run();
        return Effect().none();
    }

    private EffectBuilder<DecodedEntry, JournaledRun> persist(JournaledRun run, List<RunEvent> events) {
        return Effect()
                .persist(memory.changing(run, run.entries(RunEntries.standard(), events)))
                .thenRun((JournaledRun after) -> {
                    if (!events.isEmpty()) {
                        environment.sandbox().store().know(after.existing(), after.seq());
                    }
                });
    }

    private Instant now() {
        return environment.sandbox().clock().now();
    }
}
