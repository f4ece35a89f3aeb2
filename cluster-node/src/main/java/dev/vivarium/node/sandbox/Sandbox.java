package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.pool.WaitingSandbox;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.MalformedFrameException;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.Warning;
import java.time.Duration;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.BehaviorBuilder;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

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
 * The actor receives messages and carries out decisions. Its parts decide and hold the state: {@link Creation},
 * {@link Preparation}, {@link Deadline}, {@link Renewals}, {@link UsageMonitor}, {@link ProcessTable}, {@link OutputWriter} and
 * {@link Departure}, which ends the sandbox as {@link Ending} decides.
 */
public final class Sandbox {
    /** The actor's messages. */
    public sealed interface Command
            permits Stop,
                    Renew,
                    Creation.Message,
                    Preparation.Message,
                    DeadlineTimers.Due,
                    Guest.Message,
                    UsageMonitor.Message,
                    OutputWriter.Message,
                    ArtifactCollection.Message,
                    Departure.Message {}

    /** Ends the attempt; has no effect when it is already ending. */
    public record Stop(KillReason reason) implements Command {}

    /**
     * Moves the deadline; answered with a {@link SandboxReport.RenewalReport} of this number.
     *
     * @param limits the limits from then on, which differ from those before in wall clock and processor time only
     */
    public record Renew(long number, Limits limits) implements Command {}

    private final Inbox inbox;
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final SandboxId id;
    private final Guest guest = new Guest();
    private final ProcessTable processes = new ProcessTable();
    private final Reporter reporter;
    private final StartTimes times;
    private final Creation creation;
    private final Deadline deadline;
    private final DeadlineTimers timers;
    private final UsageMonitor usage;
    private final Renewals renewals;
    private final OutputWriter output;
    private final ArtifactCollection artifacts;
    private final Departure departure;

    /** An actor that immediately starts creating a sandbox for the attempt. */
    public static Behavior<Command> create(
            SandboxEnvironment environment, AttemptName attempt, RunSpec spec, ActorRef<SandboxReport> run) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                scheduler -> begin(new Inbox(context, scheduler), environment, attempt, spec, run)));
    }

    private static Behavior<Command> begin(
            Inbox inbox,
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            ActorRef<SandboxReport> run) {
        Optional<WaitingSandbox> waiting = environment.sandboxes().take(environment.template(spec), spec.egress());
        SandboxId id = waiting.map(WaitingSandbox::id).orElseGet(SandboxId::fresh);
        environment.live().add(id, attempt, inbox.self());
        waiting.ifPresent(environment.sandboxes().pool()::handedOver);
        Reporter reporter = new Reporter(run, attempt.attempt(), environment.clock());
        Creation creation = new Creation(environment, attempt, id, waiting, spec, inbox);
        return new Sandbox(
                        inbox, environment, attempt, spec, id, reporter, new StartTimes(environment.clock()), creation)
                .creating();
    }

    private Sandbox(
            Inbox inbox,
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            SandboxId id,
            Reporter reporter,
            StartTimes times,
            Creation creation) {
        this.inbox = inbox;
        this.environment = environment;
        this.attempt = attempt;
        this.spec = spec;
        this.id = id;
        this.reporter = reporter;
        this.times = times;
        this.creation = creation;
        this.deadline = Deadline.of(spec, environment);
        this.timers = new DeadlineTimers(deadline, inbox, guest);
        this.usage = new UsageMonitor(environment, attempt, id, spec, inbox, deadline, reporter);
        this.renewals = new Renewals(spec.limits(), deadline, timers, usage, guest, reporter);
        this.output = new OutputWriter(environment, attempt, spec, processes, inbox, guest, reporter);
        this.artifacts = new ArtifactCollection(environment, attempt, spec, id.agentUid(), inbox, guest);
        Departure.Parts parts = new Departure.Parts(processes, deadline, timers, usage, output, artifacts, reporter);
        this.departure = new Departure(environment, attempt, id, inbox, guest, parts);
        environment.removals().starting(id);
        creation.ask();
    }

    // ---- creating: the engine was asked, or will be asked again

    private Behavior<Command> creating() {
        return state().onMessage(Creation.Made.class, this::onMade)
                .onMessage(Creation.Failed.class, this::onNotMade)
                .onMessageEquals(Creation.Retry.DUE, this::again)
                .onMessage(Guest.FrameArrived.class, early -> stay(creation::frameArrived))
                .onMessage(Guest.ChannelEnded.class, ended -> stay(() -> creation.channelEnded(ended)))
                .onMessage(Stop.class, stop -> neverMade(creation.stop(stop.reason)))
                .onMessage(Renew.class, renew -> stay(() -> renewals.beforeTheStart(renew)))
                .build();
    }

    private Behavior<Command> onMade(Creation.Made made) {
        times.made(made.birth());
        creation.made(made, guest);
        output.beginAt(made.outputStart());
        usage.printedBefore(made.outputStart());
        if (creation.stopped().isPresent()) {
            return giveUp(Outcomes.killed(creation.stopped().get()));
        }
        if (creation.ended().isPresent()) {
            return onChannelEnded(creation.ended().get());
        }
        Preparation preparation =
                new Preparation(environment, attempt, id, spec, made.environment(), inbox, guest, reporter);
        preparation.begin();
        return preparing(preparation);
    }

    private Behavior<Command> onNotMade(Creation.Failed failed) {
        Optional<Outcome> end = creation.failed(failed.why());
        return end.isEmpty() && creation.waitedInVain() ? again() : neverMade(end);
    }

    /** Another sandbox, since what is left of the first one's, in logs or elsewhere, must not be taken for its. */
    private Behavior<Command> again() {
        SandboxId fresh = SandboxId.fresh();
        environment.live().add(fresh, attempt, inbox.self());
        environment.live().remove(id);
        environment.removals().over(id);
        RunSpec inForce = spec.with(renewals.inForce());
        return new Sandbox(inbox, environment, attempt, inForce, fresh, reporter, times, creation.again(fresh))
                .creating();
    }

    private Behavior<Command> neverMade(Optional<Outcome> end) {
        return end.isPresent() ? end(new Ending.NeverMade(end.get())) : Behaviors.same();
    }

    // ---- preparing: the sandbox is up; files and secrets are copied into it

    private Behavior<Command> preparing(Preparation preparation) {
        return state().onMessage(Preparation.Message.class, message -> goOn(preparation, preparation.on(message)))
                .onMessage(Guest.FrameArrived.class, arrived -> onFrameWhilePreparing(preparation, arrived))
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> giveUp(Outcomes.killed(stop.reason)))
                .onMessage(Renew.class, renew -> stay(() -> renewals.beforeTheStart(renew)))
                .build();
    }

    private Behavior<Command> onFrameWhilePreparing(Preparation preparation, Guest.FrameArrived arrived) {
        guest.confirm();
        return goOn(preparation, preparation.heard(arrived.frame()));
    }

    private Behavior<Command> goOn(Preparation preparation, Optional<Outcome> failed) {
        if (failed.isPresent()) {
            return giveUp(failed.get());
        }
        return preparation.isComplete() ? start(preparation.spawn()) : Behaviors.same();
    }

    private Behavior<Command> start(NodeFrame.Spawn spawn) {
        if (!environment.lease().isFresh()) {
            return giveUp(Outcomes.clusterLost());
        }
        times.ordered();
        deadline.start();
        timers.armGuest();
        try {
            guest.send(spawn);
        } catch (MalformedFrameException tooLong) {
            return giveUp(new Outcome.NotStarted(AgentStart.tooLong()));
        }
        deadline.start();
        processes.ordered(spawn);
        return starting();
    }

    // ---- starting: the guest was asked to start the agent

    private Behavior<Command> starting() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileStarting)
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> giveUp(Outcomes.killed(stop.reason)))
                .onMessage(Renew.class, renew -> stay(() -> renewals.ask(renew)))
                .build();
    }

    private Behavior<Command> onFrameWhileStarting(Guest.FrameArrived arrived) {
        guest.confirm();
        processes.heard(arrived.frame());
        renewals.heard(arrived.frame());
        if (arrived.frame() instanceof GuestFrame.SpawnFailed failed) {
            return giveUp(new Outcome.NotStarted(AgentStart.refused(failed, spec)));
        }
        if (!(arrived.frame() instanceof GuestFrame.Spawned)) {
            return Behaviors.same();
        }
        guest.send(new NodeFrame.CloseStdin(ProcessId.COMMAND.value()));
        timers.startOwn();
        usage.lookLater();
        environment.removals().started(id);
        // Last, so that the clocks run by the time that anyone is notified.
        reporter.started(id, times.started());
        return running();
    }

    // ---- running: the agent's process is alive

    private Behavior<Command> running() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileRunning)
                .onMessage(UsageMonitor.Message.class, this::onUsage)
                .onMessageEquals(DeadlineTimers.Due.WALL_CLOCK, () -> kill(deadline.kill()))
                .onMessageEquals(DeadlineTimers.Due.WARNING, () -> stay(this::warn))
                .onMessage(Renew.class, renew -> stay(() -> renewals.ask(renew)))
                .onMessage(Guest.ChannelEnded.class, this::onChannelEnded)
                .onMessage(Stop.class, stop -> kill(Outcomes.killed(stop.reason)))
                .build();
    }

    private Behavior<Command> onFrameWhileRunning(Guest.FrameArrived arrived) {
        takeIn(arrived.frame());
        if (renewals.heard(arrived.frame())) {
            timers.startOwn();
            usage.lookLater();
        }
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
        return breach.isPresent() ? kill(Outcomes.killed(breach.get())) : Behaviors.same();
    }

    /** Only the command itself, which asked for it: what it has started may not know the signal, and would end. */
    private void warn() {
        spec.warning().map(Warning::signal).ifPresent(signal -> {
            guest.send(new NodeFrame.Signal(ProcessId.COMMAND.value(), signal.number(), NodeFrame.SignalScope.PROCESS));
            reporter.warned(signal, deadline.limit());
        });
    }

    private Behavior<Command> kill(Outcome.Killed killed) {
        Duration grace = environment.settings().grace(killed.reason(), spec.limits());
        // The kill goes first: at a deadline every millisecond counts, and the history can wait.
        Behavior<Command> next = end(new Ending.KillDecided(killed, grace));
        usage.reportKill(killed);
        return next;
    }

    // ---- ending: the agent is stopped, its output stored, then the sandbox is destroyed

    private Behavior<Command> ending() {
        return state().onMessage(Guest.FrameArrived.class, this::onFrameWhileEnding)
                .onMessage(Guest.ChannelEnded.class, ended -> onChannelEndedWhileEnding())
                .onMessage(UsageMonitor.Message.class, this::onLateUsage)
                .onMessage(Departure.Message.class, this::onDeparture)
                .onMessage(ArtifactCollection.Message.class, this::onArtifacts)
                // Requests to end, and answers to earlier requests, come too late.
                .onMessage(Stop.class, stop -> Behaviors.same())
                .onMessage(Renew.class, renew -> stay(() -> renewals.tooLate(renew)))
                .onMessage(Preparation.Message.class, late -> Behaviors.same())
                .build();
    }

    private Behavior<Command> onFrameWhileEnding(Guest.FrameArrived arrived) {
        takeIn(arrived.frame());
        artifacts.heard(arrived.frame());
        return arrived.frame() instanceof GuestFrame.AllGone ? proceed(Ending.Signal.ALL_GONE) : Behaviors.same();
    }

    private Behavior<Command> onChannelEndedWhileEnding() {
        artifacts.stop(LeftOut.Cause.SANDBOX_GONE);
        return proceed(Ending.Signal.CHANNEL_CLOSED);
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
        // The guest's clock was first, because this node was too slow or suspended.
        Outcome.Killed killed = deadline.kill();
        if (agent.get() == ProcessTable.State.STARTED) {
            killed.measurement().ifPresent(measured -> reporter.alarm(killed.reason(), measured, Consequence.KILL));
        }
        return giveUp(killed);
    }

    /** Ends an attempt whose agent never ran, or whose guest cannot be reached. */
    private Behavior<Command> giveUp(Outcome how) {
        return end(new Ending.GivenUp(how));
    }

    private Behavior<Command> end(Ending.Event event) {
        departure.on(event);
        usage.stopLooking();
        timers.stopOwn();
        renewals.over();
        return departure.isOver() ? Behaviors.stopped() : ending();
    }

    private Behavior<Command> onDeparture(Departure.Message message) {
        departure.on(message);
        return stopWhenOver();
    }

    private Behavior<Command> onArtifacts(ArtifactCollection.Message message) {
        artifacts.on(message);
        departure.on(Ending.Signal.COLLECTED);
        return departure.isSettled() ? proceed(Ending.Signal.OUTPUT_SETTLED) : Behaviors.same();
    }

    private Behavior<Command> proceed(Ending.Event event) {
        departure.on(event);
        return stopWhenOver();
    }

    private Behavior<Command> stopWhenOver() {
        return departure.isOver() ? Behaviors.stopped() : Behaviors.same();
    }

    // ---- shared by all states

    private BehaviorBuilder<Command> state() {
        return Behaviors.receive(Command.class)
                .onMessage(Guest.Message.class, message -> !message.from().equals(id), late -> Behaviors.same())
                .onMessage(OutputWriter.Message.class, this::onOutput)
                .onMessageEquals(DeadlineTimers.Due.REARM, this::onRearm)
                .onSignal(PostStop.class, signal -> stay(departure::abandon));
    }

    private Behavior<Command> onRearm() {
        if (departure.ending().isSandboxHere()) {
            timers.armGuest();
        }
        return Behaviors.same();
    }

    private Behavior<Command> onOutput(OutputWriter.Message message) {
        output.on(message);
        return departure.isSettled() ? proceed(Ending.Signal.OUTPUT_SETTLED) : Behaviors.same();
    }

    private static Behavior<Command> stay(Runnable effect) {
        effect.run();
        return Behaviors.same();
    }
}
