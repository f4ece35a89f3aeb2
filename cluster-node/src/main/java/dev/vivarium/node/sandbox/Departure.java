package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Haste;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.Ending.Signal;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.Optional;

/**
 * Ends a sandbox: carries out the steps that {@link Ending} decides, and passes their results back to it. Used by one
 * Sandbox actor; not thread-safe.
 */
final class Departure {
    /**
     * An agent gains nothing from all processors in so short a time, and might not get to handle SIGTERM without them.
     */
    private static final Duration UNTHROTTLED_GRACE_MAX = Duration.ofMillis(100);

    private final SandboxEnvironment environment;
    private final SandboxSettings settings;
    private final AttemptName attempt;
    private final SandboxId id;
    private final Inbox inbox;
    private final Guest guest;
    private final Parts parts;
    private Ending ending;

    /** The parts of the attempt that an ending needs or completes. */
    record Parts(
            ProcessTable processes,
            Deadline deadline,
            DeadlineTimers timers,
            UsageMonitor usage,
            OutputWriter output,
            ArtifactCollection artifacts,
            Reporter reporter) {}

    /** Results of steps, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    private record Signaled(Signal signal) implements Message {}

    private record LookedAtLast(SandboxUse use) implements Message {}

    private record DestroyFailed(Throwable why) implements Message {}

    /** The grace is over. */
    private record KillDue() implements Message {}

    Departure(
            SandboxEnvironment environment, AttemptName attempt, SandboxId id, Inbox inbox, Guest guest, Parts parts) {
        this.environment = environment;
        this.settings = environment.settings();
        this.attempt = attempt;
        this.id = id;
        this.inbox = inbox;
        this.guest = guest;
        this.parts = parts;
        this.ending = Ending.notBegun(parts.artifacts.wanted());
    }

    Ending ending() {
        return ending;
    }

    /** Whether the final report has been sent. */
    boolean isOver() {
        return ending.phase() == Ending.Phase.REPORTED;
    }

    void on(Message message) {
        if (message instanceof Signaled signaled) {
            on(signaled.signal);
        } else if (message instanceof LookedAtLast looked) {
            onLastSample(looked.use);
        } else if (message instanceof KillDue) {
            onKillDue();
        } else if (message instanceof DestroyFailed failed) {
            inbox.log().warn("Could not destroy the sandbox of {} yet: {}", attempt, failed.why.getMessage());
            on(Signal.DESTROY_FAILED);
        }
    }

    void on(Ending.Event event) {
        Ending.Next next = ending.on(event, isSettled() ? Ending.Output.SETTLED : Ending.Output.OUTSTANDING);
        ending = next.state();
        next.steps().forEach(this::carryOut);
    }

    /** Whether all that is to outlast the sandbox is stored. */
    boolean isSettled() {
        return parts.output.isSettled() && parts.artifacts.isSettled();
    }

    private void onKillDue() {
        if (ending.phase() == Ending.Phase.KILLING || ending.phase() == Ending.Phase.KILLING_THE_REST) {
            environment.sandboxes().hastenEnd(id, Haste.KILL);
        }
    }

    private void onLastSample(SandboxUse use) {
        if (ending.isSandboxHere()) {
            parts.usage.sampledAtLast(use);
        }
        on(parts.usage.showsEmpty(use) ? Signal.LOOKED_EMPTY : Signal.LOOKED_OCCUPIED);
    }

    private void carryOut(Ending.Step step) {
        if (step instanceof Ending.KillAll kill) {
            parts.deadline.askToEnd();
            environment.removals().killing(id);
            killAll(kill.grace());
        } else if (step instanceof Ending.Action action) {
            carryOut(action);
        }
    }

    private void carryOut(Ending.Action action) {
        switch (action) {
            case NOTE_END -> parts.deadline.end();
            case LOOK -> lookAtLast();
            case KILL_THE_REST -> killAll(Duration.ZERO);
            case COLLECT -> collect();
            case AWAIT_REMOVAL -> awaitRemoval();
            case DESTROY -> destroy();
            case DESTROY_AGAIN -> askForDestruction();
            case RETRY_DESTROY_LATER -> signalAfter(settings.engineRetry(), Signal.DESTROY_RETRY_DUE);
            case LEAVE_TO_REAPER -> inbox.log().warn("The sandbox {} of {} is left to the reaper.", id, attempt);
            case RELEASE -> release();
            case REPORT -> report(ending.how().orElseThrow());
        }
    }

    /**
     * The guest kills in any case. But it is one of the sandbox's processes, and busy ones may leave it no CPU time of
     * a small quota. So the quota is lifted, and after the grace the node kills as well. During a long grace the quota
     * stays, since the agent is still working.
     */
    private void killAll(Duration grace) {
        boolean anyLeft = ending.occupancy() == Ending.Occupancy.NOT_SEEN_EMPTY;
        if (anyLeft && grace.compareTo(UNTHROTTLED_GRACE_MAX) <= 0) {
            environment.sandboxes().hastenEnd(id, Haste.UNTHROTTLE);
        }
        guest.send(new NodeFrame.KillAll(Math.toIntExact(grace.toMillis())));
        if (anyLeft) {
            inbox.after(grace, KillDue.class, new KillDue());
        }
        limitWait(grace.plus(settings.killConfirm()));
    }

    private void lookAtLast() {
        limitWait(settings.killConfirm());
        inbox.hear(parts.usage.lastLook(), LookedAtLast::new, why -> new Signaled(Signal.LOOK_FAILED));
    }

    /** The guest's clock may be near its end, or past the run's: nothing of the run is left for it to end. */
    private void collect() {
        limitWait(settings.artifactsWait());
        environment.removals().over(id);
        parts.deadline.extendForGuest(settings.artifactsWait());
        parts.timers.armGuest();
        parts.artifacts.begin();
    }

    private void awaitRemoval() {
        limitWait(settings.removalWait());
        environment.removals().await(id, () -> inbox.self().tell(new Signaled(Signal.REMOVAL_TURN)));
    }

    private void destroy() {
        environment.removals().removing(id);
        parts.artifacts.stop(LeftOut.Cause.OUT_OF_TIME);
        limitWait(settings.destroyWait());
        guest.close();
        askForDestruction();
    }

    private void askForDestruction() {
        inbox.hear(environment.sandboxes().destroy(id), done -> new Signaled(Signal.DESTROYED), DestroyFailed::new);
    }

    private void release() {
        environment.live().remove(id);
        environment.removals().over(id);
        inbox.cancel(Signal.DESTROY_RETRY_DUE);
        inbox.cancel(Signal.OVERDUE);
    }

    private void report(Outcome how) {
        Outcome outcome = parts.usage.judged(how);
        Optional<SandboxReport.Kept> kept =
                isTheRunsEnd(outcome) ? parts.artifacts.keptOrNone(LeftOut.Cause.SANDBOX_GONE) : parts.artifacts.kept();
        boolean hasRun = parts.processes.state(ProcessId.COMMAND).isPresent();
        parts.reporter.ended(outcome, hasRun ? parts.usage.usage(parts.output.keptBytes()) : Usage.NONE, kept);
    }

    /** Whether an agent that has run ended, and no further attempt follows. */
    private boolean isTheRunsEnd(Outcome outcome) {
        boolean hasStarted = parts.processes
                .state(ProcessId.COMMAND)
                .filter(state -> state != ProcessTable.State.ORDERED)
                .isPresent();
        boolean isOver = !(outcome instanceof Outcome.NotStarted || outcome instanceof Outcome.Interrupted)
                && !(outcome instanceof Outcome.Killed killed && killed.reason() == KillReason.DRAINED);
        return hasStarted && isOver;
    }

    /** Limits the wait of the phase that begins, and cancels the limit of the one before. */
    private void limitWait(Duration atMost) {
        signalAfter(atMost, Signal.OVERDUE);
    }

    private void signalAfter(Duration wait, Signal signal) {
        inbox.after(wait, signal, new Signaled(signal));
    }

    /** Call when the actor stops for any reason: destroys what is still there, without waiting for the result. */
    void abandon() {
        if (!ending.isSandboxGone()) {
            guest.close();
            environment.removals().over(id);
            environment.sandboxes().destroy(id).whenComplete((done, failure) -> environment
                    .live()
                    .remove(id));
        }
    }
}
