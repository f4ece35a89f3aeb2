package dev.vivarium.node.run;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.sandbox.Sandbox;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** The current attempt of a run: its Sandbox child. Belongs to one Run and is confined to its thread. */
final class RunAttempt {
    private final ActorContext<Run.Command> context;
    private final RunId id;
    private final SandboxEnvironment environment;
    private Optional<ActorRef<Sandbox.Command>> sandbox = Optional.empty();
    private RunDecision.Sandbox condition = RunDecision.Sandbox.ABSENT;
    private int number;
    /** The attempt's last report, until it is durable: if the journal fails, the agent's work must not be repeated. */
    private Optional<SandboxReport.Ended> unsaved = Optional.empty();
    /** Requests to move the deadline that its sandbox has not answered yet, by number. */
    private final Map<Long, Asked> renewals = new LinkedHashMap<>();

    private long lastRenewal;

    /** The outcome of an attempt. */
    sealed interface Message extends Run.Command {}

    record Reported(SandboxReport report) implements Message {}

    /** Its sandbox's actor has stopped: after a last report, or because it crashed. */
    record Stopped(int attempt) implements Message {}

    /** A request to move the deadline, and the limits that its sandbox was asked to enforce. */
    record Asked(Run.Renew renew, Limits limits) {}

    RunAttempt(ActorContext<Run.Command> context, RunId id, SandboxEnvironment environment) {
        this.context = context;
        this.id = id;
        this.environment = environment;
    }

    /** The attempt is durable: its sandbox may be created now. */
    void begin(RunState.Existing run) {
        ActorRef<SandboxReport> reports = context.messageAdapter(SandboxReport.class, Reported::new);
        AttemptName attempt = new AttemptName(id, run.attempt());
        ActorRef<Sandbox.Command> child = context.spawn(
                Sandbox.create(environment, attempt, run.submission().specInForce(), reports),
                "attempt-" + run.attempt());
        context.watchWith(child, new Stopped(run.attempt()));
        sandbox = Optional.of(child);
        condition = RunDecision.Sandbox.PRESENT;
        number = run.attempt();
    }

    RunDecision.Sandbox condition() {
        return condition;
    }

    void stop() {
        sandbox.ifPresent(child -> child.tell(new Sandbox.Stop(KillReason.CANCELLED)));
    }

    /** Has the sandbox move its deadline; {@link #answered} has the request when the sandbox has reported. */
    void renew(Run.Renew renew, Limits limits) {
        renewals.put(++lastRenewal, new Asked(renew, limits));
        sandbox.ifPresent(child -> child.tell(new Sandbox.Renew(lastRenewal, limits)));
    }

    /** The request that the sandbox has answered. */
    Optional<Asked> answered(SandboxReport.RenewalReport report) {
        return Optional.ofNullable(renewals.remove(report.number()));
    }

    /** The requests that a sandbox which is gone has left unanswered; each is returned once. */
    List<Run.Renew> unanswered() {
        List<Run.Renew> left = renewals.values().stream().map(Asked::renew).toList();
        renewals.clear();
        return left;
    }

    /** Handles a report of its sandbox that is not durable yet; after the end there is no sandbox any more. */
    void heard(SandboxReport report) {
        if (report instanceof SandboxReport.Ended ended) {
            gone();
            unsaved = Optional.of(ended);
        }
    }

    /** The report is durable. */
    void saved(SandboxReport report) {
        if (report instanceof SandboxReport.Ended) {
            unsaved = Optional.empty();
        }
    }

    /** The attempt's child stopped; without a last report it crashed, and its PostStop destroyed the sandbox. */
    RunDecision.Sandbox stopped(int attempt) {
        if (sandbox.isPresent() && attempt == number) {
            sandbox = Optional.empty();
            condition = RunDecision.Sandbox.VANISHED;
        }
        return condition;
    }

    /** There is no sandbox any more. */
    void gone() {
        sandbox = Optional.empty();
        condition = RunDecision.Sandbox.ABSENT;
    }

    /** The end that could not be journaled, if it is that of the run's current attempt. */
    Optional<SandboxReport.Ended> unsaved(RunState.Live run) {
        return unsaved.filter(end -> run.attempt() == end.attempt())
                .filter(end -> run instanceof RunState.Starting || run instanceof RunState.Running);
    }
}
