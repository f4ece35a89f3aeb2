package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.Ending.Signal;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;

/**
 * Ends a sandbox as {@link Ending} decides: carries out its steps, and has what comes of them come back. Owned by one
 * Sandbox actor; not safe for use by others.
 */
final class Departure {
    private final SandboxEnvironment environment;
    private final SandboxSettings settings;
    private final AttemptName attempt;
    private final SandboxId id;
    private final Inbox inbox;
    private final Guest guest;
    private final Parts parts;
    private Ending ending = Ending.notBegun();

    /** What of the attempt an ending looks at, or brings to its end. */
    record Parts(
            ProcessTable processes, Deadline deadline, UsageMonitor usage, OutputWriter output, Reporter reporter) {}

    /** What comes of a step. */
    sealed interface Message extends Sandbox.Command {}

    private record Signaled(Signal signal) implements Message {}

    private record LookedAtLast(SandboxUse use) implements Message {}

    private record DestroyFailed(Throwable why) implements Message {}

    Departure(
            SandboxEnvironment environment, AttemptName attempt, SandboxId id, Inbox inbox, Guest guest, Parts parts) {
        this.environment = environment;
        this.settings = environment.settings();
        this.attempt = attempt;
        this.id = id;
        this.inbox = inbox;
        this.guest = guest;
        this.parts = parts;
    }

    Ending ending() {
        return ending;
    }

    /** Whether the run has its last report. */
    boolean isOver() {
        return ending.phase() == Ending.Phase.REPORTED;
    }

    void on(Message message) {
        if (message instanceof Signaled signaled) {
            on(signaled.signal);
        } else if (message instanceof LookedAtLast looked) {
            onLastSample(looked.use);
        } else if (message instanceof DestroyFailed failed) {
            inbox.log().warn("Could not destroy the sandbox of {} yet: {}", attempt, failed.why.getMessage());
            on(Signal.DESTROY_FAILED);
        }
    }

    void on(Ending.Event event) {
        Ending.Next next =
                ending.on(event, parts.output.isSettled() ? Ending.Output.SETTLED : Ending.Output.OUTSTANDING);
        ending = next.state();
        next.steps().forEach(this::carryOut);
    }

    private void onLastSample(SandboxUse use) {
        if (ending.isSandboxHere()) {
            parts.usage.sampledAtLast(use);
        }
        on(parts.usage.showsEmpty(use) ? Signal.LOOKED_EMPTY : Signal.LOOKED_OCCUPIED);
    }

    private void carryOut(Ending.Step step) {
        if (step instanceof Ending.KillAll kill) {
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
            case AWAIT_REMOVAL -> awaitRemoval();
            case DESTROY -> destroy();
            case DESTROY_AGAIN -> askForDestruction();
            case RETRY_DESTROY_LATER -> signalAfter(settings.engineRetry(), Signal.DESTROY_RETRY_DUE);
            case LEAVE_TO_REAPER -> inbox.log().warn("The sandbox {} of {} is left to the reaper.", id, attempt);
            case RELEASE -> release();
            case REPORT -> report(ending.how().orElseThrow());
        }
    }

    private void killAll(Duration grace) {
        guest.send(new NodeFrame.KillAll(Math.toIntExact(grace.toMillis())));
        limitWait(grace.plus(settings.killConfirm()));
    }

    private void lookAtLast() {
        limitWait(settings.killConfirm());
        inbox.hear(parts.usage.lastLook(), LookedAtLast::new, why -> new Signaled(Signal.LOOK_FAILED));
    }

    private void awaitRemoval() {
        limitWait(settings.removalWait());
        environment.removals().await(id, () -> inbox.self().tell(new Signaled(Signal.REMOVAL_TURN)));
    }

    private void destroy() {
        environment.removals().removing(id);
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
        boolean hasRun = parts.processes.state(ProcessId.COMMAND).isPresent();
        parts.reporter.ended(outcome, hasRun ? parts.usage.usage(parts.output.keptBytes()) : Usage.NONE);
    }

    /** Limits the wait of the phase that begins; the limit of the one before is over with it. */
    private void limitWait(Duration atMost) {
        signalAfter(atMost, Signal.OVERDUE);
    }

    private void signalAfter(Duration wait, Signal signal) {
        inbox.after(wait, signal, new Signaled(signal));
    }

    /** The actor stops, for whatever reason: what is still there is destroyed, and nobody here hears of it. */
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
