package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.MalformedFrameException;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.BehaviorBuilder;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Owns one sandbox, for one attempt of a run, from before it exists until it is gone: makes it, puts the agent in,
 * watches its limits, keeps its output, ends it. A child of the Run that it serves, to which it reports; it stops itself
 * after its last report, {@link SandboxReport.Ended}. However it stops, PostStop destroys the sandbox.
 *
 * <pre>
 * creating -> preparing -> starting -> running -> ending -> (gone)
 *     |           |            |                    ^
 *     +-----------+------------+--------------------+
 * </pre>
 */
public final class Sandbox {
    /** What a Sandbox understands. */
    public sealed interface Command {}

    /** Ends the attempt; harmless when it is ending already. */
    public record Stop(KillReason reason) implements Command {}

    private record Created(SandboxChannel channel, Map<String, String> imageEnvironment, long outputStart)
            implements Command {}

    private record CreateFailed(Throwable why) implements Command {}

    private record FrameArrived(GuestFrame frame) implements Command {}

    private record ChannelEnded(ChannelListener.ClosedBecause why) implements Command {}

    private record SecretsOpened(Map<String, String> secrets) implements Command {
        @Override
        public String toString() {
            return "SecretsOpened(" + secrets.keySet() + ")";
        }
    }

    private record SecretsUnavailable(Throwable why) implements Command {}

    private record Sampled(Look look, SandboxSample sample) implements Command {}

    private record SampleFailed(Look look, Throwable why) implements Command {}

    /** What a sample is for: the answer to one that was asked for before the end is not taken for the last one. */
    private enum Look {
        ROUTINE,
        LAST
    }

    private record Stored(OutputBuffer.Batch batch) implements Command {}

    private record StoreFailed(OutputBuffer.Batch batch, Throwable why) implements Command {}

    private record Destroyed() implements Command {}

    private record DestroyFailed(Throwable why) implements Command {}

    private enum Alarm implements Command {
        RETRY_CREATE,
        WALL_CLOCK,
        SAMPLE_DUE,
        LEASE_DUE,
        LAST_LOOK_OVERDUE,
        KILL_UNCONFIRMED,
        REMOVAL_DUE,
        RETRY_DESTROY,
        DESTROY_OVERDUE
    }

    private record RetryStore(OutputBuffer.Batch batch) implements Command {}

    private enum Step {
        SECRETS,
        FILES
    }

    private static final int GUEST_ALONE = 1;

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final SandboxEnvironment environment;
    private final SandboxSettings settings;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final ActorRef<SandboxReport> run;
    private final SandboxId id;
    private final long bornNanos;

    private final Deque<NodeFrame.WriteFile> files = new ArrayDeque<>();
    private final Set<Step> steps = EnumSet.allOf(Step.class);
    private Map<String, String> imageEnvironment = Map.of();
    private Map<String, String> secrets = Map.of();
    private Optional<KillReason> stopRequested = Optional.empty();
    private Optional<SandboxChannel> channel = Optional.empty();
    private Optional<ChannelEnded> endedBeforeChannel = Optional.empty();
    private int framesBeforeChannel;
    private Optional<Outcome> outcome = Optional.empty();
    private OutputBuffer output;
    private LimitWatch watch;
    private DenialNotes denials = DenialNotes.none();
    private Agent agent = Agent.NOT_STARTED;
    private LastLook lastLook = LastLook.NOT_YET;
    private boolean emptySeen;
    private Measuring measuring = Measuring.WELL;
    private long startedNanos;
    private long endedNanos;
    private Storing storing = Storing.IDLE;
    private Presence presence = Presence.HERE;

    private enum Agent {
        NOT_STARTED,
        TOLD_TO_START,
        STARTED
    }

    private enum LastLook {
        NOT_YET,
        UNDER_WAY,
        TAKEN
    }

    private enum Measuring {
        WELL,
        FAILING_AND_TOLD
    }

    private enum Storing {
        IDLE,
        UNDER_WAY
    }

    private enum Presence {
        HERE,
        BEING_DESTROYED,
        GONE
    }

    /** An actor that makes a sandbox for the attempt at once. */
    public static Behavior<Command> create(
            SandboxEnvironment environment, AttemptName attempt, RunSpec spec, ActorRef<SandboxReport> run) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new Sandbox(context, timers, environment, attempt, spec, run).creating()));
    }

    private Sandbox(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            ActorRef<SandboxReport> run) {
        this.context = context;
        this.timers = timers;
        this.environment = environment;
        this.settings = environment.settings();
        this.attempt = attempt;
        this.spec = spec;
        this.run = run;
        this.id = environment.newSandboxId();
        this.bornNanos = environment.clock().nanos();
        this.startedNanos = bornNanos;
        this.endedNanos = bornNanos;
        this.output =
                new OutputBuffer(attempt.attempt(), 0, spec.limits().output().bytes());
        this.watch = LimitWatch.of(spec.limits(), settings.thresholds(), spec.isolation());
        files.addAll(AgentStart.files(spec, id.agentUid()));
        environment.live().add(id, attempt, context.getSelf());
        askForSandbox();
    }

    // ---- creating: the engine was asked, or will be again

    private Behavior<Command> creating() {
        return state().onMessage(Created.class, this::onCreated)
                .onMessage(CreateFailed.class, this::onCreateFailed)
                .onMessage(FrameArrived.class, this::onFrameWhileCreating)
                .onMessage(ChannelEnded.class, this::onChannelEndedWhileCreating)
                .onMessageEquals(Alarm.RETRY_CREATE, this::onRetryCreate)
                .onMessage(Stop.class, this::onStopWhileCreating)
                .build();
    }

    private void askForSandbox() {
        ActorRef<Command> self = context.getSelf();
        ChannelListener listener = new ChannelListener() {
            @Override
            public void onFrame(GuestFrame frame) {
                self.tell(new FrameArrived(frame));
            }

            @Override
            public void onClosed(ClosedBecause why) {
                self.tell(new ChannelEnded(why));
            }
        };
        // The sandbox comes last: when a step before it fails there is none, and the driver leaves none when it fails.
        CompletionStage<Created> created = environment
                .live()
                .goneBefore(attempt)
                .thenCompose(gone -> nothingLeftBefore())
                .thenCompose(none -> outputStart())
                .thenCompose(start -> environment
                        .driver()
                        .createFor(attempt, id, environment.template(spec), listener)
                        .thenApply(made -> new Created(made.channel(), made.environment(), start)));
        context.pipeToSelf(created, (answer, failure) -> failure == null ? answer : new CreateFailed(cause(failure)));
    }

    /** From here on the node of an earlier attempt that was taken for dead writes nothing any more. */
    private CompletionStage<Long> outputStart() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0L)
                : environment.store().output().begin(attempt.run(), attempt.attempt());
    }

    /** What an earlier attempt left to the reaper, when the engine was away, must be gone before the agent runs again. */
    private CompletionStage<Integer> nothingLeftBefore() {
        return attempt.attempt() == 1
                ? CompletableFuture.completedStage(0)
                : environment.driver().destroyBefore(attempt);
    }

    /** A guest has nothing to say before it is asked; it is only confirmed, so that it is not held up later. */
    private Behavior<Command> onFrameWhileCreating(FrameArrived early) {
        framesBeforeChannel++;
        return Behaviors.same();
    }

    /** The end may be told before the driver's answer, which then tells of a sandbox that is no more. */
    private Behavior<Command> onChannelEndedWhileCreating(ChannelEnded ended) {
        endedBeforeChannel = Optional.of(ended);
        return Behaviors.same();
    }

    private Behavior<Command> onCreated(Created created) {
        channel = Optional.of(created.channel);
        for (; framesBeforeChannel > 0; framesBeforeChannel--) {
            confirm();
        }
        imageEnvironment = created.imageEnvironment;
        output = new OutputBuffer(
                attempt.attempt(), created.outputStart, spec.limits().output().bytes());
        if (stopRequested.isPresent()) {
            return end(killed(stopRequested.get(), Optional.empty()));
        }
        if (endedBeforeChannel.isPresent()) {
            return onChannelEnded(endedBeforeChannel.get());
        }
        context.pipeToSelf(
                environment.store().secrets().open(attempt.run(), spec.secrets()),
                (opened, failure) ->
                        failure == null ? new SecretsOpened(opened) : new SecretsUnavailable(cause(failure)));
        sendNextFile();
        return preparing();
    }

    private Behavior<Command> onCreateFailed(CreateFailed failed) {
        if (stopRequested.isPresent()) {
            return endWithoutSandbox(killed(stopRequested.get(), Optional.empty()));
        }
        if (failed.why instanceof DriverException driverFailed) {
            Optional<StartFailure> failure = AgentStart.failure(driverFailed);
            if (failure.isPresent()) {
                return endWithoutSandbox(new Outcome.NotStarted(failure.get()));
            }
        }
        if (millisSince(bornNanos) < settings.engineWait().toMillis()) {
            context.getLog().warn("No sandbox yet for {}: {}", attempt, failed.why.getMessage());
            endedBeforeChannel = Optional.empty();
            framesBeforeChannel = 0;
            timers.startSingleTimer(Alarm.RETRY_CREATE, settings.engineRetry());
            return Behaviors.same();
        }
        return endWithoutSandbox(
                new Outcome.Interrupted(Interruption.ENGINE_LOST, String.valueOf(failed.why.getMessage())));
    }

    private Behavior<Command> onRetryCreate() {
        askForSandbox();
        return Behaviors.same();
    }

    private Behavior<Command> onStopWhileCreating(Stop stop) {
        // Whether the sandbox exists is only known with the driver's answer; then it is destroyed.
        stopRequested = Optional.of(stop.reason);
        if (timers.isTimerActive(Alarm.RETRY_CREATE)) {
            return endWithoutSandbox(killed(stop.reason, Optional.empty()));
        }
        return Behaviors.same();
    }

    // ---- preparing: the sandbox waits; files and secrets are brought

    private Behavior<Command> preparing() {
        return state().onMessage(SecretsOpened.class, this::onSecretsOpened)
                .onMessage(SecretsUnavailable.class, this::onSecretsUnavailable)
                .onMessage(FrameArrived.class, this::onFrameWhilePreparing)
                .onMessage(ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> end(killed(stop.reason, Optional.empty())))
                .build();
    }

    private Behavior<Command> onSecretsOpened(SecretsOpened opened) {
        secrets = opened.secrets;
        Map<String, String> injected = AgentStart.injected(spec, secrets);
        if (!injected.isEmpty()) {
            environment.driver().entrust(id, injected);
        }
        return prepared(Step.SECRETS);
    }

    private Behavior<Command> onSecretsUnavailable(SecretsUnavailable failed) {
        context.getLog().warn("The secrets of {} could not be opened: {}", attempt, failed.why.getMessage());
        return end(new Outcome.NotStarted(new StartFailure(
                StartFailure.Kind.SECRETS_UNAVAILABLE, "The run's secrets could not be opened; submit it again.")));
    }

    private Behavior<Command> onFrameWhilePreparing(FrameArrived arrived) {
        confirm();
        if (arrived.frame instanceof GuestFrame.Done done) {
            NodeFrame.WriteFile sent = files.remove();
            if (done.errno() != 0) {
                return end(new Outcome.NotStarted(AgentStart.fileRefused(sent.path(), done.errno())));
            }
            return sendNextFile();
        }
        return Behaviors.same();
    }

    /** One part at a time: what waits in the channel stays small, however much is brought. */
    private Behavior<Command> sendNextFile() {
        if (files.isEmpty()) {
            return prepared(Step.FILES);
        }
        send(files.element());
        return Behaviors.same();
    }

    private Behavior<Command> prepared(Step step) {
        steps.remove(step);
        if (!steps.isEmpty()) {
            return Behaviors.same();
        }
        if (!environment.lease().isFresh()) {
            // The run may have been taken over while this node was away, and what it did not begin it must not begin
            // now.
            return end(new Outcome.Interrupted(
                    Interruption.NODE_LOST, "The node lost sight of its cluster before the agent was started."));
        }
        startedNanos = environment.clock().nanos();
        arm();
        NodeFrame.Spawn spawn = AgentStart.spawn(attempt, id, spec, imageEnvironment, secrets, settings);
        secrets = Map.of();
        try {
            send(spawn);
        } catch (MalformedFrameException tooLong) {
            return end(new Outcome.NotStarted(AgentStart.tooLong()));
        }
        startedNanos = environment.clock().nanos();
        agent = Agent.TOLD_TO_START;
        return starting();
    }

    /**
     * The guest's clock ends everything at the deadline, with a grace, or with the node's lease if that is sooner; then it
     * is armed again and again, for as long as the lease is renewed.
     */
    private void arm() {
        long deadlineMillis =
                spec.limits().wallClock().millis() + settings.secondClockGrace().toMillis() - millisSince(startedNanos);
        long heldMillis = environment.lease().remainingMillis();
        if (heldMillis > 0) {
            send(new NodeFrame.Arm(Math.max(0, Math.min(deadlineMillis, heldMillis))));
        }
        if (!environment.lease().isEndless()) {
            timers.startSingleTimer(Alarm.LEASE_DUE, environment.lease().lookInterval());
        }
    }

    private Behavior<Command> onLeaseDue() {
        arm();
        return Behaviors.same();
    }

    // ---- starting: the guest was told to start the agent

    private Behavior<Command> starting() {
        return state().onMessage(FrameArrived.class, this::onFrameWhileStarting)
                .onMessage(ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> end(killed(stop.reason, Optional.empty())))
                .build();
    }

    private Behavior<Command> onFrameWhileStarting(FrameArrived arrived) {
        confirm();
        if (arrived.frame instanceof GuestFrame.SpawnFailed failed) {
            return end(new Outcome.NotStarted(AgentStart.refused(failed, spec)));
        }
        if (!(arrived.frame instanceof GuestFrame.Spawned)) {
            return Behaviors.same();
        }
        agent = Agent.STARTED;
        send(new NodeFrame.CloseStdin(AgentStart.PROCESS));
        run.tell(
                new SandboxReport.Started(attempt.attempt(), environment.clock().now(), id.value()));
        timers.startSingleTimer(
                Alarm.WALL_CLOCK, spec.limits().wallClock().duration().minusMillis(millisSince(startedNanos)));
        scheduleSample();
        return running();
    }

    // ---- running: the agent's process lives

    private Behavior<Command> running() {
        return state().onMessage(FrameArrived.class, this::onFrameWhileRunning)
                .onMessageEquals(Alarm.WALL_CLOCK, this::onWallClock)
                .onMessageEquals(Alarm.SAMPLE_DUE, this::onSampleDue)
                .onMessage(Sampled.class, this::onSampled)
                .onMessage(SampleFailed.class, this::onSampleFailed)
                .onMessage(ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> kill(killed(stop.reason, Optional.empty()), settings.softGrace()))
                .build();
    }

    private Behavior<Command> onFrameWhileRunning(FrameArrived arrived) {
        confirm();
        observe(arrived.frame);
        if (arrived.frame instanceof GuestFrame.Exited exited && exited.process() == AgentStart.PROCESS) {
            return lookBackAndEnd(new Outcome.Exited(exited.exitCode()));
        }
        if (arrived.frame instanceof GuestFrame.Signaled signaled && signaled.process() == AgentStart.PROCESS) {
            return lookBackAndEnd(new Outcome.Signaled(signaled.signal()));
        }
        return heedLimits();
    }

    /** Takes in what a frame says about output and disk. */
    private void observe(GuestFrame frame) {
        if (frame instanceof GuestFrame.Output printed) {
            watch = watch.printed(printed.data().length(), millisSince(startedNanos));
            output.add(printed.stream(), printed.data(), environment.clock().now());
            store();
        } else if (frame instanceof GuestFrame.Disk disk) {
            watch = watch.disk(disk);
        } else if (frame instanceof GuestFrame.Pids pids && spec.isolation().hasOwnKernel()) {
            watch = watch.pids(pids.count());
        }
    }

    private Behavior<Command> heedLimits() {
        Optional<LimitWatch.Breach> breach = watch.breach();
        if (breach.isPresent()) {
            LimitWatch.Breach reached = breach.get();
            Duration grace = reached.reason() == KillReason.IDLE ? settings.softGrace() : settings.hardGrace();
            return kill(killed(reached.reason(), Optional.of(reached.measurement())), grace);
        }
        noteWarnings(Optional.empty());
        return Behaviors.same();
    }

    /** Notes what is near its limit now, once each; what ends the attempt at this moment is told of by its own alarm. */
    private void noteWarnings(Optional<Outcome.Killed> end) {
        LimitWatch.Warned warned = watch.warn(wallMillis());
        watch = warned.watch();
        warned.warnings().stream()
                .filter(warning -> end.filter(killed -> isOf(killed, warning)).isEmpty())
                .forEach(warning -> alarm(warning.reason(), warning.measurement(), Consequence.NOTED));
    }

    private static boolean isOf(Outcome.Killed killed, LimitWatch.Breach warning) {
        return killed.reason() == warning.reason()
                && killed.measurement()
                        .filter(measured ->
                                measured.unit() == warning.measurement().unit())
                        .isPresent();
    }

    private Behavior<Command> onWallClock() {
        Measurement measured = Measurement.millis(
                millisSince(startedNanos), spec.limits().wallClock().millis());
        return kill(killed(KillReason.WALL_CLOCK, Optional.of(measured)), settings.hardGrace());
    }

    private Behavior<Command> onSampleDue() {
        look(Look.ROUTINE);
        return Behaviors.same();
    }

    private void look(Look look) {
        CompletionStage<SandboxSample> sampled = environment.driver().sample(id);
        // Routine looks take what was counted last; after the end, nothing may be missing.
        boolean toTheEnd = look == Look.LAST && spec.egress().mode() != EgressPolicy.Mode.NONE;
        context.pipeToSelf(
                toTheEnd ? sampled.thenCombine(environment.driver().egress(id), SandboxSample::with) : sampled,
                (sample, failure) ->
                        failure == null ? new Sampled(look, sample) : new SampleFailed(look, cause(failure)));
    }

    private Behavior<Command> onSampled(Sampled sampled) {
        watch = watch.sampled(sampled.sample, millisSince(startedNanos));
        if (denials.isDue(watch.egress(), millisSince(startedNanos))) {
            tellDenials();
        }
        Behavior<Command> next = heedLimits();
        if (outcome.isEmpty()) {
            scheduleSample();
        }
        return next;
    }

    private Behavior<Command> onSampleFailed(SampleFailed failed) {
        context.getLog().debug("No sample of {}: {}", attempt, failed.why.getMessage());
        Duration unmeasured = watch.unmeasured(millisSince(startedNanos));
        if (measuring == Measuring.WELL && unmeasured.compareTo(settings.unmeasuredMax()) > 0) {
            measuring = Measuring.FAILING_AND_TOLD;
            context.getLog()
                    .warn(
                            "The sandbox {} of {} could not be measured for {} ms, so its processor time and idleness"
                                    + " are not watched: {}",
                            id,
                            attempt,
                            unmeasured.toMillis(),
                            failed.why.getMessage());
        }
        // What fails is not asked for more often because a limit is near.
        timers.startSingleTimer(Alarm.SAMPLE_DUE, settings.sampleInterval());
        return heedLimits();
    }

    private void tellDenials() {
        denials = denials.toldOf(watch.egress(), wallMillis());
        run.tell(new SandboxReport.Denied(attempt.attempt(), environment.clock().now(), watch.egress()));
    }

    private void scheduleSample() {
        timers.startSingleTimer(
                Alarm.SAMPLE_DUE, watch.nextSample(settings.sampleInterval(), millisSince(startedNanos)));
    }

    // ---- ending: nothing of the agent may go on; what it printed is kept, then the sandbox is destroyed

    private Behavior<Command> ending() {
        return state().onMessage(FrameArrived.class, this::onFrameWhileEnding)
                .onMessage(Sampled.class, this::onSampledWhileEnding)
                .onMessage(SampleFailed.class, this::onSampleFailedWhileEnding)
                .onMessageEquals(Alarm.LAST_LOOK_OVERDUE, this::onLastLookTaken)
                .onMessage(ChannelEnded.class, ended -> destroy())
                .onMessageEquals(Alarm.KILL_UNCONFIRMED, this::destroy)
                .onMessageEquals(Alarm.REMOVAL_DUE, this::destroy)
                .onMessage(Destroyed.class, destroyed -> gone())
                .onMessage(DestroyFailed.class, this::onDestroyFailed)
                .onMessageEquals(Alarm.RETRY_DESTROY, this::onRetryDestroy)
                .onMessageEquals(Alarm.DESTROY_OVERDUE, this::onDestroyOverdue)
                .build();
    }

    /** The agent ended by itself: one last look tells whether a limit was what ended it, then the rest is ended. */
    private Behavior<Command> lookBackAndEnd(Outcome exit) {
        endedNanos = environment.clock().nanos();
        outcome = Optional.of(exit);
        timers.cancel(Alarm.WALL_CLOCK);
        timers.cancel(Alarm.SAMPLE_DUE);
        takeLastLook();
        return ending();
    }

    private void takeLastLook() {
        lastLook = LastLook.UNDER_WAY;
        timers.startSingleTimer(Alarm.LAST_LOOK_OVERDUE, settings.killConfirm());
        look(Look.LAST);
    }

    private Behavior<Command> onSampledWhileEnding(Sampled sampled) {
        if (presence == Presence.HERE) {
            watch = watch.sampled(sampled.sample, wallMillis());
            if (denials.isLeft(watch.egress())) {
                tellDenials();
            }
        }
        if (sampled.look != Look.LAST) {
            return Behaviors.same();
        }
        if (presence == Presence.HERE && watch.egress().opened() > 0) {
            run.tell(new SandboxReport.Reached(
                    attempt.attempt(), environment.clock().now(), watch.egress()));
        }
        // A guest's word would not do: it may not be its own master. Into another kernel nobody sees from outside.
        emptySeen = sampled.sample.pids() <= GUEST_ALONE && !spec.isolation().hasOwnKernel();
        return onLastLookTaken();
    }

    private Behavior<Command> onSampleFailedWhileEnding(SampleFailed failed) {
        return failed.look == Look.LAST ? onLastLookTaken() : Behaviors.same();
    }

    /** After the end of an agent, what it left is ended; after a kill nothing is left, and the sandbox is destroyed. */
    private Behavior<Command> onLastLookTaken() {
        if (lastLook != LastLook.UNDER_WAY) {
            return Behaviors.same();
        }
        lastLook = LastLook.TAKEN;
        timers.cancel(Alarm.LAST_LOOK_OVERDUE);
        return outcome.filter(end -> end instanceof Outcome.Killed).isPresent()
                ? takeAway()
                : endProcesses(Duration.ZERO);
    }

    /** Nothing runs in the sandbox any more. When that was seen from outside too, its removal can wait for its turn. */
    private Behavior<Command> takeAway() {
        if (!emptySeen) {
            return destroy();
        }
        timers.startSingleTimer(Alarm.REMOVAL_DUE, settings.removalWait());
        ActorRef<Command> self = context.getSelf();
        environment.removals().await(id, () -> self.tell(Alarm.REMOVAL_DUE));
        return Behaviors.same();
    }

    private Behavior<Command> kill(Outcome.Killed killed, Duration grace) {
        environment.removals().killing(id);
        // The kill goes first: at a deadline every millisecond counts, and the history can wait for one.
        endProcesses(grace);
        outcome = Optional.of(killed);
        timers.cancel(Alarm.WALL_CLOCK);
        timers.cancel(Alarm.SAMPLE_DUE);
        noteWarnings(outcome.map(Outcome.Killed.class::cast));
        killed.measurement().ifPresent(measurement -> alarm(killed.reason(), measurement, Consequence.KILL));
        return ending();
    }

    private Behavior<Command> endProcesses(Duration grace) {
        send(new NodeFrame.KillAll(Math.toIntExact(grace.toMillis())));
        timers.startSingleTimer(Alarm.KILL_UNCONFIRMED, grace.plus(settings.killConfirm()));
        return Behaviors.same();
    }

    private Behavior<Command> onFrameWhileEnding(FrameArrived arrived) {
        confirm();
        observe(arrived.frame);
        return arrived.frame instanceof GuestFrame.AllGone ? onAllGone() : Behaviors.same();
    }

    /** What the agent used until its last moment is known now, and no longer when the sandbox is gone. */
    private Behavior<Command> onAllGone() {
        if (endedNanos == bornNanos) {
            endedNanos = environment.clock().nanos();
        }
        timers.cancel(Alarm.KILL_UNCONFIRMED);
        if (lastLook == LastLook.TAKEN) {
            return takeAway();
        }
        if (lastLook == LastLook.NOT_YET) {
            takeLastLook();
        }
        return Behaviors.same();
    }

    /** Ends an attempt whose agent never ran, or whose sandbox is beyond talking to. */
    private Behavior<Command> end(Outcome how) {
        outcome = Optional.of(how);
        timers.cancelAll();
        destroy();
        return ending();
    }

    /** Ends an attempt for which the driver has made no sandbox: then none is left, and nobody needs to be waited for. */
    private Behavior<Command> endWithoutSandbox(Outcome how) {
        outcome = Optional.of(how);
        timers.cancelAll();
        return gone();
    }

    private Behavior<Command> onChannelEnded(ChannelEnded ended) {
        long wallMillis = millisSince(startedNanos);
        long limitMillis = spec.limits().wallClock().millis();
        if (agent != Agent.NOT_STARTED && wallMillis >= limitMillis) {
            // The guest's own clock was first: this node was too slow, or asleep.
            Measurement measured = Measurement.millis(wallMillis, limitMillis);
            if (agent == Agent.STARTED) {
                alarm(KillReason.WALL_CLOCK, measured, Consequence.KILL);
            }
            return end(killed(KillReason.WALL_CLOCK, Optional.of(measured)));
        }
        return end(
                switch (ended.why.cause()) {
                    case OUT_OF_MEMORY -> killed(KillReason.MEMORY, Optional.of(watch.outOfMemory()));
                    case PROTOCOL_VIOLATED -> killed(KillReason.OPERATOR, Optional.empty());
                    case SANDBOX_ENDED, ENGINE_LOST, CLOSED_HERE -> new Outcome.Interrupted(
                            Interruption.ENGINE_LOST, ended.why.detail());
                });
    }

    private Behavior<Command> destroy() {
        if (presence == Presence.HERE) {
            presence = Presence.BEING_DESTROYED;
            if (endedNanos == bornNanos) {
                endedNanos = environment.clock().nanos();
            }
            timers.cancel(Alarm.KILL_UNCONFIRMED);
            timers.cancel(Alarm.LAST_LOOK_OVERDUE);
            timers.cancel(Alarm.REMOVAL_DUE);
            lastLook = LastLook.TAKEN;
            environment.removals().removing(id);
            timers.startSingleTimer(Alarm.DESTROY_OVERDUE, settings.destroyWait());
            channel.ifPresent(SandboxChannel::close);
            askForDestruction();
        }
        return Behaviors.same();
    }

    private void askForDestruction() {
        context.pipeToSelf(
                environment.driver().destroy(id),
                (done, failure) -> failure == null ? new Destroyed() : new DestroyFailed(cause(failure)));
    }

    private Behavior<Command> onDestroyFailed(DestroyFailed failed) {
        context.getLog().warn("Could not destroy the sandbox of {} yet: {}", attempt, failed.why.getMessage());
        if (presence == Presence.BEING_DESTROYED) {
            timers.startSingleTimer(Alarm.RETRY_DESTROY, settings.engineRetry());
        }
        return Behaviors.same();
    }

    private Behavior<Command> onRetryDestroy() {
        askForDestruction();
        return Behaviors.same();
    }

    /** The engine is away for longer: the reaper compares and destroys when it is back. */
    private Behavior<Command> onDestroyOverdue() {
        context.getLog().warn("The sandbox {} of {} is left to the reaper.", id, attempt);
        return gone();
    }

    private Behavior<Command> gone() {
        presence = Presence.GONE;
        environment.live().remove(id);
        environment.removals().over(id);
        timers.cancel(Alarm.RETRY_DESTROY);
        timers.cancel(Alarm.DESTROY_OVERDUE);
        return reportWhenStored();
    }

    private Behavior<Command> reportWhenStored() {
        if (presence != Presence.GONE || storing == Storing.UNDER_WAY || !output.isEmpty()) {
            return Behaviors.same();
        }
        Outcome end = judged(outcome.orElseThrow());
        run.tell(new SandboxReport.Ended(
                attempt.attempt(),
                environment.clock().now(),
                end,
                agent == Agent.NOT_STARTED ? Usage.NONE : watch.usage(wallMillis(), output.keptBytes())));
        return Behaviors.stopped();
    }

    /** An exit that a limit brought about is a kill: the kernel had refused the agent something, or killed a part of it. */
    private Outcome judged(Outcome ended) {
        if (!(ended instanceof Outcome.Exited || ended instanceof Outcome.Signaled)) {
            return ended;
        }
        Optional<Outcome.Killed> kill =
                watch.breachAtExit().map(breach -> killed(breach.reason(), Optional.of(breach.measurement())));
        noteWarnings(kill);
        kill.flatMap(Outcome.Killed::measurement)
                .ifPresent(measurement -> alarm(kill.get().reason(), measurement, Consequence.KILL));
        return kill.map(Outcome.class::cast).orElse(ended);
    }

    /** From the agent's start until its end, or until now while it has not ended. */
    private long wallMillis() {
        long until = endedNanos == bornNanos ? environment.clock().nanos() : endedNanos;
        return Math.max(0, (until - startedNanos) / 1_000_000);
    }

    // ---- output, in every state

    private void store() {
        if (storing == Storing.UNDER_WAY || output.isEmpty()) {
            return;
        }
        write(output.drain());
    }

    private void write(OutputBuffer.Batch batch) {
        storing = Storing.UNDER_WAY;
        CompletionStage<Done> written = batch.chunks().isEmpty()
                ? CompletableFuture.completedStage(Done.getInstance())
                : environment.store().output().append(attempt.run(), batch.chunks());
        context.pipeToSelf(
                written,
                (done, failure) -> failure == null ? new Stored(batch) : new StoreFailed(batch, cause(failure)));
    }

    private Behavior<Command> onStored(Stored stored) {
        storing = Storing.IDLE;
        stored.batch.credit().forEach((stream, bytes) -> send(new NodeFrame.Credit(AgentStart.PROCESS, stream, bytes)));
        if (!stored.batch.chunks().isEmpty()) {
            run.tell(new SandboxReport.OutputAdvanced(attempt.attempt(), stored.batch.end()));
        }
        store();
        return presence == Presence.GONE ? reportWhenStored() : Behaviors.same();
    }

    private Behavior<Command> onStoreFailed(StoreFailed failed) {
        context.getLog().warn("Output of {} could not be stored yet: {}", attempt, failed.why.getMessage());
        timers.startSingleTimer(new RetryStore(failed.batch), settings.storeRetry());
        return Behaviors.same();
    }

    private Behavior<Command> onRetryStore(RetryStore retry) {
        write(retry.batch);
        return Behaviors.same();
    }

    // ---- what all states share

    private BehaviorBuilder<Command> state() {
        return Behaviors.receive(Command.class)
                .onMessage(Stored.class, this::onStored)
                .onMessage(StoreFailed.class, this::onStoreFailed)
                .onMessage(RetryStore.class, this::onRetryStore)
                .onMessageEquals(Alarm.LEASE_DUE, this::onLeaseDue)
                .onSignal(PostStop.class, this::onPostStop);
    }

    private Behavior<Command> onPostStop(PostStop signal) {
        if (presence != Presence.GONE) {
            channel.ifPresent(SandboxChannel::close);
            environment.removals().over(id);
            environment.driver().destroy(id).whenComplete((done, failure) -> environment
                    .live()
                    .remove(id));
        }
        return Behaviors.same();
    }

    private void send(NodeFrame frame) {
        channel.ifPresent(open -> open.send(frame));
    }

    private void confirm() {
        channel.ifPresent(SandboxChannel::confirm);
    }

    private void alarm(KillReason reason, Measurement measurement, Consequence consequence) {
        run.tell(new SandboxReport.Alarm(
                attempt.attempt(), environment.clock().now(), reason, measurement, consequence));
    }

    private Outcome.Killed killed(KillReason reason, Optional<Measurement> measurement) {
        return new Outcome.Killed(reason, measurement);
    }

    private long millisSince(long nanos) {
        return (environment.clock().nanos() - nanos) / 1_000_000;
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
