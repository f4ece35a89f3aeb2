package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.MalformedFrameException;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunSpec;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.BehaviorBuilder;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Owns one sandbox, for one attempt of a run, from before it exists until it is gone. A child of the Run that it serves,
 * to which it reports; it stops itself after its last report, {@link SandboxReport.Ended}. However it stops, PostStop
 * destroys the sandbox.
 *
 * <pre>
 * creating -> preparing -> starting -> running -> ending -> (gone)
 *     |           |            |                    ^
 *     +-----------+------------+--------------------+
 * </pre>
 *
 * The actor receives and carries out. What is decided, and what is remembered for it, lies in its parts: {@link Creation},
 * {@link Preparation}, {@link Deadline}, {@link UsageMonitor}, {@link ProcessTable},
 * {@link OutputWriter} and {@link Departure}, which ends it as {@link Ending} decides.
 */
public final class Sandbox {
    /** What a Sandbox understands. */
    public sealed interface Command
            permits Stop,
                    Created,
                    CreateFailed,
                    SecretsOpened,
                    SecretsUnavailable,
                    Alarm,
                    Guest.Message,
                    FilePreparation.Message,
                    UsageMonitor.Message,
                    OutputWriter.Message,
                    Departure.Message {}

    /** Ends the attempt; harmless when it is ending already. */
    public record Stop(KillReason reason) implements Command {}

    private record Created(Creation.Made made) implements Command {}

    private record CreateFailed(Throwable why) implements Command {}

    private record SecretsOpened(Map<String, String> secrets) implements Command {
        @Override
        public String toString() {
            return "SecretsOpened(" + secrets.keySet() + ")";
        }
    }

    private record SecretsUnavailable(Throwable why) implements Command {}

    private enum Alarm implements Command {
        RETRY_CREATE,
        WALL_CLOCK,
        LEASE_DUE
    }

    private final Inbox inbox;
    private final SandboxEnvironment environment;
    private final SandboxSettings settings;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final SandboxId id;
    private final Guest guest = new Guest();
    private final ProcessTable processes = new ProcessTable();
    private final Reporter reporter;
    private final Creation creation;
    private final Deadline deadline;
    private final UsageMonitor usage;
    private final OutputWriter output;
    private final Departure departure;

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
        this.inbox = new Inbox(context, timers);
        this.environment = environment;
        this.settings = environment.settings();
        this.attempt = attempt;
        this.spec = spec;
        this.id = environment.newSandboxId();
        this.reporter = new Reporter(run, attempt.attempt(), environment.clock());
        this.creation = new Creation(environment, attempt, id, spec);
        this.deadline = Deadline.of(spec, environment);
        this.usage = new UsageMonitor(environment, attempt, id, spec, inbox, deadline, reporter);
        this.output = new OutputWriter(environment, attempt, spec, processes, inbox, guest, reporter);
        Departure.Parts parts = new Departure.Parts(processes, deadline, usage, output, reporter);
        this.departure = new Departure(environment, attempt, id, inbox, guest, parts);
        environment.live().add(id, attempt, inbox.self());
        askForSandbox();
    }

    // ---- creating: the engine was asked, or will be again

    private Behavior<Command> creating() {
        return state().onMessage(Created.class, created -> onCreated(created.made))
                .onMessage(CreateFailed.class, failed -> onCreateFailed(failed.why))
                .onMessage(Guest.FrameArrived.class, early -> stay(creation::frameArrived))
                .onMessage(Guest.ChannelEnded.class, ended -> stay(() -> creation.channelEnded(ended)))
                .onMessageEquals(Alarm.RETRY_CREATE, () -> stay(this::askForSandbox))
                .onMessage(Stop.class, this::onStopWhileCreating)
                .build();
    }

    private void askForSandbox() {
        inbox.hear(creation.ask(Guest.listener(inbox.self())), Created::new, CreateFailed::new);
    }

    private Behavior<Command> onCreated(Creation.Made made) {
        guest.open(made.channel());
        for (int frame = 0; frame < creation.unconfirmedFrames(); frame++) {
            guest.confirm();
        }
        output.beginAt(made.outputStart());
        if (creation.stopped().isPresent()) {
            return giveUp(Outcomes.killed(creation.stopped().get()));
        }
        if (creation.ended().isPresent()) {
            return onChannelEnded(creation.ended().get());
        }
        inbox.hear(
                environment.store().secrets().open(attempt.run(), spec.secrets()),
                SecretsOpened::new,
                SecretsUnavailable::new);
        FilePreparation files = new FilePreparation(environment, attempt, spec, id.agentUid(), inbox, guest);
        files.begin();
        return preparing(new Preparation(attempt, id, spec, made.environment(), files));
    }

    private Behavior<Command> onCreateFailed(Throwable why) {
        Optional<Outcome> end = creation.stopped()
                .<Outcome>map(Outcomes::killed)
                .or(() -> Outcomes.notMade(why))
                .or(() -> creation.isOverdue() ? Optional.of(Outcomes.engineLost(why)) : Optional.empty());
        if (end.isPresent()) {
            return end(new Ending.NeverMade(end.get()));
        }
        inbox.log().warn("No sandbox yet for {}: {}", attempt, why.getMessage());
        inbox.after(settings.engineRetry(), Alarm.RETRY_CREATE, Alarm.RETRY_CREATE);
        return Behaviors.same();
    }

    private Behavior<Command> onStopWhileCreating(Stop stop) {
        creation.stop(stop.reason);
        return inbox.isAwaited(Alarm.RETRY_CREATE)
                ? end(new Ending.NeverMade(Outcomes.killed(stop.reason)))
                : Behaviors.same();
    }

    // ---- preparing: the sandbox waits; files and secrets are brought

    private Behavior<Command> preparing(Preparation preparation) {
        return state().onMessage(SecretsOpened.class, opened -> onSecretsOpened(preparation, opened))
                .onMessage(SecretsUnavailable.class, this::onSecretsUnavailable)
                .onMessage(Guest.FrameArrived.class, arrived -> onFrameWhilePreparing(preparation, arrived))
                .onMessage(
                        FilePreparation.Message.class,
                        message -> goOn(preparation, preparation.files().on(message)))
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> giveUp(Outcomes.killed(stop.reason)))
                .build();
    }

    private Behavior<Command> onSecretsOpened(Preparation preparation, SecretsOpened opened) {
        Map<String, String> injected = preparation.opened(opened.secrets);
        if (!injected.isEmpty()) {
            environment.sandboxes().entrust(id, injected);
        }
        return startWhenComplete(preparation);
    }

    private Behavior<Command> onSecretsUnavailable(SecretsUnavailable failed) {
        inbox.log().warn("The secrets of {} could not be opened: {}", attempt, failed.why.getMessage());
        return giveUp(Outcomes.secretsUnavailable());
    }

    private Behavior<Command> onFrameWhilePreparing(Preparation preparation, Guest.FrameArrived arrived) {
        guest.confirm();
        if (!(arrived.frame() instanceof GuestFrame.Done done)) {
            return Behaviors.same();
        }
        return goOn(preparation, preparation.files().answered(done));
    }

    private Behavior<Command> goOn(Preparation preparation, Optional<Outcome> failed) {
        return failed.isPresent() ? giveUp(failed.get()) : startWhenComplete(preparation);
    }

    private Behavior<Command> startWhenComplete(Preparation preparation) {
        if (!preparation.isComplete()) {
            return Behaviors.same();
        }
        if (!environment.lease().isFresh()) {
            return giveUp(Outcomes.clusterLost());
        }
        deadline.start();
        armGuest();
        NodeFrame.Spawn spawn = preparation.spawn(settings);
        try {
            guest.send(spawn);
        } catch (MalformedFrameException tooLong) {
            return giveUp(new Outcome.NotStarted(AgentStart.tooLong()));
        }
        deadline.start();
        processes.ordered(spawn);
        return starting();
    }

    private Behavior<Command> onLeaseDue() {
        if (departure.ending().isSandboxHere()) {
            armGuest();
        }
        return Behaviors.same();
    }

    private void armGuest() {
        deadline.arm().ifPresent(guest::send);
        deadline.armAgainAfter().ifPresent(wait -> inbox.after(wait, Alarm.LEASE_DUE, Alarm.LEASE_DUE));
    }

    // ---- starting: the guest was told to start the agent

    private Behavior<Command> starting() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileStarting)
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> giveUp(Outcomes.killed(stop.reason)))
                .build();
    }

    private Behavior<Command> onFrameWhileStarting(Guest.FrameArrived arrived) {
        guest.confirm();
        processes.heard(arrived.frame());
        if (arrived.frame() instanceof GuestFrame.SpawnFailed failed) {
            return giveUp(new Outcome.NotStarted(AgentStart.refused(failed, spec)));
        }
        if (!(arrived.frame() instanceof GuestFrame.Spawned)) {
            return Behaviors.same();
        }
        guest.send(new NodeFrame.CloseStdin(ProcessId.COMMAND.value()));
        inbox.after(deadline.left(), Alarm.WALL_CLOCK, Alarm.WALL_CLOCK);
        usage.lookLater();
        // Last: whoever hears of it finds the clocks running.
        reporter.started(id);
        return running();
    }

    // ---- running: the agent's process lives

    private Behavior<Command> running() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileRunning)
                .onMessage(UsageMonitor.Message.class, this::onUsage)
                .onMessageEquals(Alarm.WALL_CLOCK, this::onWallClock)
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> kill(Outcomes.killed(stop.reason), settings.softGrace()))
                .build();
    }

    private Behavior<Command> onFrameWhileRunning(Guest.FrameArrived arrived) {
        takeIn(arrived.frame());
        Optional<Outcome> end = Outcomes.agentEnd(arrived.frame());
        return end.isPresent() ? end(new Ending.AgentEnded(end.get())) : heedLimits();
    }

    private void takeIn(GuestFrame frame) {
        guest.confirm();
        processes.heard(frame);
        usage.heard(frame);
        if (frame instanceof GuestFrame.Output printed) {
            output.add(printed);
        }
    }

    private Behavior<Command> onUsage(UsageMonitor.Message message) {
        usage.on(message);
        return heedLimits();
    }

    private Behavior<Command> heedLimits() {
        Optional<LimitWatch.Breach> breach = usage.breach();
        return breach.isPresent()
                ? kill(
                        Outcomes.killed(breach.get()),
                        settings.grace(breach.get().reason()))
                : Behaviors.same();
    }

    private Behavior<Command> onWallClock() {
        return kill(Outcomes.killed(KillReason.WALL_CLOCK, deadline.measurement()), settings.hardGrace());
    }

    private Behavior<Command> kill(Outcome.Killed killed, Duration grace) {
        // The kill goes first: at a deadline every millisecond counts, and the history can wait for one.
        Behavior<Command> next = end(new Ending.KillDecided(killed, grace));
        usage.reportKill(killed);
        return next;
    }

    // ---- ending: nothing of the agent may go on; what it printed is kept, then the sandbox is destroyed

    private Behavior<Command> ending() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileEnding)
                .onMessage(Guest.ChannelEnded.class, ended -> proceed(Ending.Signal.CHANNEL_CLOSED))
                .onMessage(UsageMonitor.Message.class, this::onLateUsage)
                .onMessage(Departure.Message.class, this::onDeparture)
                // What asks for the end, and what was asked for before it, comes too late.
                .onMessage(Stop.class, stop -> Behaviors.same())
                .onMessage(SecretsOpened.class, opened -> Behaviors.same())
                .onMessage(SecretsUnavailable.class, unavailable -> Behaviors.same())
                .onMessage(FilePreparation.Message.class, late -> Behaviors.same())
                .build();
    }

    private Behavior<Command> onFrameWhileEnding(Guest.FrameArrived arrived) {
        takeIn(arrived.frame());
        return arrived.frame() instanceof GuestFrame.AllGone ? proceed(Ending.Signal.ALL_GONE) : Behaviors.same();
    }

    private Behavior<Command> onLateUsage(UsageMonitor.Message message) {
        if (departure.ending().isSandboxHere()) {
            usage.onLate(message);
        }
        return Behaviors.same();
    }

    private Behavior<Command> onChannelEnded(Guest.ChannelEnded ended) {
        Optional<ProcessTable.State> agent = processes.state(ProcessId.COMMAND);
        if (agent.isEmpty() || !deadline.isPast()) {
            return giveUp(Outcomes.channelEnd(ended.why(), usage.outOfMemory()));
        }
        // The guest's own clock was first: this node was too slow, or asleep.
        Measurement measured = deadline.measurement();
        if (agent.get() == ProcessTable.State.STARTED) {
            reporter.alarm(KillReason.WALL_CLOCK, measured, Consequence.KILL);
        }
        return giveUp(Outcomes.killed(KillReason.WALL_CLOCK, measured));
    }

    /** Ends an attempt whose agent never ran, or whose sandbox is beyond talking to. */
    private Behavior<Command> giveUp(Outcome how) {
        return end(new Ending.GivenUp(how));
    }

    private Behavior<Command> end(Ending.Event event) {
        departure.on(event);
        usage.stopLooking();
        inbox.cancel(Alarm.WALL_CLOCK);
        return departure.isOver() ? Behaviors.stopped() : ending();
    }

    private Behavior<Command> onDeparture(Departure.Message message) {
        departure.on(message);
        return stopWhenOver();
    }

    private Behavior<Command> proceed(Ending.Event event) {
        departure.on(event);
        return stopWhenOver();
    }

    private Behavior<Command> stopWhenOver() {
        return departure.isOver() ? Behaviors.stopped() : Behaviors.same();
    }

    // ---- what all states share

    private BehaviorBuilder<Command> state() {
        return Behaviors.receive(Command.class)
                .onMessage(OutputWriter.Message.class, this::onOutput)
                .onMessageEquals(Alarm.LEASE_DUE, this::onLeaseDue)
                .onSignal(PostStop.class, signal -> stay(departure::abandon));
    }

    private Behavior<Command> onOutput(OutputWriter.Message message) {
        output.on(message);
        return output.isSettled() ? proceed(Ending.Signal.OUTPUT_SETTLED) : Behaviors.same();
    }

    private static Behavior<Command> stay(Runnable effect) {
        effect.run();
        return Behaviors.same();
    }
}
