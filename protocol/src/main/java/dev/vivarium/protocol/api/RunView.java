package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import java.time.Instant;
import java.util.Optional;

/**
 * A run as the API shows it.
 *
 * @param id the run's permanent id
 * @param status its status
 * @param reason why Vivarium ended it, if it did
 * @param measurement the measured value and the limit, when a limit ended it
 * @param exitCode the agent's exit code, when it exited by itself
 * @param failure why the agent never ran, if it did not
 * @param attempt the latest attempt, from 1; 0 before the first
 * @param node the node of the latest attempt
 * @param queue its position in the queue while it waits; only in the answer for a single run
 * @param submittedAt when it was acknowledged
 * @param startedAt when the latest attempt's process started
 * @param start how the latest attempt got its sandbox, once its process has started
 * @param wallClock what its wall clock limit was moved to, if it was; otherwise that of the specification is in force
 * @param cancelRequestedAt when its cancellation was requested
 * @param finishedAt when it ended
 * @param usage what the last attempt used, once the run has ended
 * @param spec the submission with defaults filled in, without secrets and file contents
 */
public record RunView(
        RunId id,
        RunStatus status,
        Optional<KillReason> reason,
        Optional<Measurement> measurement,
        Optional<Integer> exitCode,
        Optional<StartFailure> failure,
        int attempt,
        Optional<String> node,
        Optional<QueueView> queue,
        Instant submittedAt,
        Optional<Instant> startedAt,
        Optional<SandboxStart> start,
        Optional<TimeSpan> wallClock,
        Optional<Instant> cancelRequestedAt,
        Optional<Instant> finishedAt,
        Optional<Usage> usage,
        SpecView spec) {

    /** The view of a run in this state. */
    public static RunView of(RunState.Existing state) {
        return new RunView(
                state.submission().id(),
                state.status(),
                state instanceof RunState.Finished finished ? finished.reason() : Optional.empty(),
                end(state).flatMap(RunView::measurement),
                end(state).flatMap(RunView::exitCode),
                end(state).flatMap(RunView::failure),
                state.attempt(),
                node(state),
                Optional.empty(),
                state.submission().submittedAt(),
                started(state).map(RunEvent.AttemptStarted::at),
                started(state).flatMap(RunEvent.AttemptStarted::start),
                state.submission().renewal().map(RunState.Renewal::wallClock),
                state.submission().cancelRequestedAt(),
                end(state).map(RunEvent::at),
                end(state).map(RunEvent.Terminal::usage),
                SpecView.of(state.submission().spec()));
    }

    /**
     * The view after one more event, equal to {@link #of} of the state after that event. A projection can therefore
     * store views without the events that led to them.
     *
     * @throws IllegalStateException when the event is illegal for a run with this status
     */
    public RunView after(RunEvent event) {
        if (event instanceof RunEvent.CancelRequested cancel && !status.isTerminal()) {
            return cancelled(cancel.at());
        }
        if (event instanceof RunEvent.DeadlineMoved moved && !status.isTerminal()) {
            return renewed(moved.to());
        }
        if (event instanceof RunEvent.RunQueued && status == RunStatus.SUBMITTED) {
            return standing(RunStatus.QUEUED, attempt, Optional.empty(), Optional.empty());
        }
        if (event instanceof RunEvent.AttemptStarting starting && waits() && starting.attempt() == attempt + 1) {
            return standing(RunStatus.STARTING, attempt + 1, Optional.of(starting.node()), Optional.empty());
        }
        if (event instanceof RunEvent.AttemptStarted started
                && status == RunStatus.STARTING
                && started.attempt() == attempt) {
            return standing(RunStatus.RUNNING, attempt, node, Optional.of(started));
        }
        if (event instanceof RunEvent.AttemptInterrupted interrupted
                && (status == RunStatus.STARTING || status == RunStatus.RUNNING)
                && interrupted.attempt() == attempt) {
            return standing(RunStatus.QUEUED, attempt, Optional.empty(), Optional.empty());
        }
        if (event instanceof RunEvent.Terminal end && end.attempt() == attempt && mayEndWith(end)) {
            return ended(end);
        }
        if (status == RunStatus.STARTING && event instanceof RunEvent.SecretsUsed used && used.attempt() == attempt) {
            return this;
        }
        if (status == RunStatus.RUNNING && isNoticeOfAttempt(event)) {
            return this;
        }
        throw new IllegalStateException(
                event.getClass().getSimpleName() + " may not happen to a run that is " + status + ".");
    }

    private boolean waits() {
        return status == RunStatus.SUBMITTED || status == RunStatus.QUEUED;
    }

    /** Only a running attempt can succeed or fail by itself, and only an interrupted one can be lost. */
    private boolean mayEndWith(RunEvent.Terminal end) {
        boolean interrupted = status == RunStatus.QUEUED && attempt > 0;
        if (end instanceof RunEvent.RunCancelled) {
            return !status.isTerminal();
        }
        if (end instanceof RunEvent.RunKilled) {
            return status == RunStatus.STARTING || status == RunStatus.RUNNING || interrupted;
        }
        if (end instanceof RunEvent.RunNotStarted) {
            return status == RunStatus.STARTING || (waits() && !interrupted);
        }
        return end instanceof RunEvent.RunLost ? interrupted : status == RunStatus.RUNNING;
    }

    private boolean isNoticeOfAttempt(RunEvent event) {
        return (event instanceof RunEvent.AlarmRaised alarm && alarm.attempt() == attempt)
                || (event instanceof RunEvent.EgressDenied denied && denied.attempt() == attempt)
                || (event instanceof RunEvent.EgressUsed used && used.attempt() == attempt)
                || (event instanceof RunEvent.ArtifactsKept kept && kept.attempt() == attempt)
                || (event instanceof RunEvent.WarningSent sent && sent.attempt() == attempt);
    }

    private RunView standing(
            RunStatus now, int newest, Optional<String> holder, Optional<RunEvent.AttemptStarted> started) {
        return new RunView(
                id,
                now,
                reason,
                measurement,
                exitCode,
                failure,
                newest,
                holder,
                queue,
                submittedAt,
                started.map(RunEvent.AttemptStarted::at),
                started.flatMap(RunEvent.AttemptStarted::start),
                wallClock,
                cancelRequestedAt,
                finishedAt,
                usage,
                spec);
    }

    private RunView renewed(TimeSpan to) {
        return new RunView(
                id,
                status,
                reason,
                measurement,
                exitCode,
                failure,
                attempt,
                node,
                queue,
                submittedAt,
                startedAt,
                start,
                Optional.of(to),
                cancelRequestedAt,
                finishedAt,
                usage,
                spec);
    }

    private RunView cancelled(Instant at) {
        return new RunView(
                id,
                status,
                reason,
                measurement,
                exitCode,
                failure,
                attempt,
                node,
                queue,
                submittedAt,
                startedAt,
                start,
                wallClock,
                cancelRequestedAt.or(() -> Optional.of(at)),
                finishedAt,
                usage,
                spec);
    }

    private RunView ended(RunEvent.Terminal end) {
        return new RunView(
                id,
                RunState.Finished.statusAfter(end),
                RunState.Finished.reasonFor(end),
                measurement(end),
                exitCode(end),
                failure(end),
                attempt,
                Optional.of(end.node()),
                queue,
                submittedAt,
                startedAt,
                start,
                wallClock,
                cancelRequestedAt,
                Optional.of(end.at()),
                Optional.of(end.usage()),
                spec);
    }

    /** The same view with its queue position. */
    public RunView waiting(QueueView place) {
        return new RunView(
                id,
                status,
                reason,
                measurement,
                exitCode,
                failure,
                attempt,
                node,
                Optional.of(place),
                submittedAt,
                startedAt,
                start,
                wallClock,
                cancelRequestedAt,
                finishedAt,
                usage,
                spec);
    }

    private static Optional<RunEvent.Terminal> end(RunState state) {
        return state instanceof RunState.Finished finished ? Optional.of(finished.end()) : Optional.empty();
    }

    private static Optional<Measurement> measurement(RunEvent.Terminal end) {
        return end instanceof RunEvent.RunKilled killed ? killed.measurement() : Optional.empty();
    }

    private static Optional<Integer> exitCode(RunEvent.Terminal end) {
        if (end instanceof RunEvent.RunSucceeded) {
            return Optional.of(0);
        }
        return end instanceof RunEvent.RunFailed failed ? Optional.of(failed.exitCode()) : Optional.empty();
    }

    private static Optional<StartFailure> failure(RunEvent.Terminal end) {
        return end instanceof RunEvent.RunNotStarted notStarted ? Optional.of(notStarted.failure()) : Optional.empty();
    }

    private static Optional<String> node(RunState.Existing state) {
        if (state instanceof RunState.Starting starting) {
            return Optional.of(starting.node());
        }
        if (state instanceof RunState.Running running) {
            return Optional.of(running.node());
        }
        return end(state).map(RunEvent::node);
    }

    private static Optional<RunEvent.AttemptStarted> started(RunState.Existing state) {
        if (state instanceof RunState.Running running) {
            return Optional.of(running.started());
        }
        return state instanceof RunState.Finished finished ? finished.started() : Optional.empty();
    }
}
