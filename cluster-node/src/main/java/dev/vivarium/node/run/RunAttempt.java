package dev.vivarium.node.run;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.sandbox.Sandbox;
import dev.vivarium.node.sandbox.SandboxEnvironment;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** The present attempt of a run: its Sandbox child. Belongs to one Run, and is used by its thread only. */
final class RunAttempt {
    private final ActorContext<Run.Command> context;
    private final RunId id;
    private final SandboxEnvironment environment;
    private Optional<ActorRef<Sandbox.Command>> sandbox = Optional.empty();
    private RunDecision.Sandbox condition = RunDecision.Sandbox.ABSENT;
    private int number;
    /** How it ended, until that is durable: what an agent has done is not done again because the journal failed. */
    private Optional<SandboxReport.Ended> unsaved = Optional.empty();

    RunAttempt(ActorContext<Run.Command> context, RunId id, SandboxEnvironment environment) {
        this.context = context;
        this.id = id;
        this.environment = environment;
    }

    /** The attempt is durable: now there may be a sandbox for it. */
    void begin(
            RunState.Existing run, Function<SandboxReport, Run.Command> reported, IntFunction<Run.Command> vanished) {
        ActorRef<SandboxReport> reports = context.messageAdapter(SandboxReport.class, reported::apply);
        AttemptName attempt = new AttemptName(id, run.attempt());
        ActorRef<Sandbox.Command> child = context.spawn(
                Sandbox.create(environment, attempt, run.submission().spec(), reports), "attempt-" + run.attempt());
        context.watchWith(child, vanished.apply(run.attempt()));
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

    /** Its sandbox has reported its end, which is not durable yet. */
    void ended(SandboxReport.Ended report) {
        gone();
        unsaved = Optional.of(report);
    }

    /** Its end is durable. */
    void saved() {
        unsaved = Optional.empty();
    }

    /** The child of the attempt stopped; without a last report it crashed, and its PostStop destroyed the sandbox. */
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

    /** The end that the journal has failed to keep, if it is the end of the run's present attempt. */
    Optional<SandboxReport.Ended> unsaved(RunState.Live run) {
        return unsaved.filter(end -> run.attempt() == end.attempt())
                .filter(end -> run instanceof RunState.Starting || run instanceof RunState.Running);
    }
}
