package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.vivarium.protocol.run.RunEvent.AlarmRaised;
import dev.vivarium.protocol.run.RunEvent.ArtifactsKept;
import dev.vivarium.protocol.run.RunEvent.AttemptInterrupted;
import dev.vivarium.protocol.run.RunEvent.AttemptStarted;
import dev.vivarium.protocol.run.RunEvent.AttemptStarting;
import dev.vivarium.protocol.run.RunEvent.CancelRequested;
import dev.vivarium.protocol.run.RunEvent.DeadlineMoved;
import dev.vivarium.protocol.run.RunEvent.EgressDenied;
import dev.vivarium.protocol.run.RunEvent.EgressUsed;
import dev.vivarium.protocol.run.RunEvent.RunCancelled;
import dev.vivarium.protocol.run.RunEvent.RunKilled;
import dev.vivarium.protocol.run.RunEvent.RunLost;
import dev.vivarium.protocol.run.RunEvent.RunNotStarted;
import dev.vivarium.protocol.run.RunEvent.RunQueued;
import dev.vivarium.protocol.run.RunEvent.RunSubmitted;
import dev.vivarium.protocol.run.RunEvent.SecretsUsed;
import dev.vivarium.protocol.run.RunEvent.Terminal;
import dev.vivarium.protocol.run.RunEvent.WarningSent;
import java.time.Instant;
import java.util.Optional;

/**
 * The whole life of a run as a pure machine: {@link #after} takes every event in every state and either gives the next
 * state or says that the event is illegal there. It starts nothing and calls nothing; the Run entity acts on the states
 * and the queries fold the same events with it, so that both always agree.
 *
 * <pre>
 * Unborn -> Submitted ----------> Starting -> Running -> Finished
 *               |  |               ^  |        |
 *               |  +--> Queued ----+  +--------+--> Interrupted -> Starting (attempt n+1) | Finished
 *               +---------+------------------------------------------------------------> Finished
 * </pre>
 */
public sealed interface RunState {
    /** The state before any event. */
    static RunState initial() {
        return new Unborn();
    }

    /** The state after the event. Total: throws {@link IllegalTransition} for an event that may not happen here. */
    RunState after(RunEvent event);

    /** Whether the event is legal in this state. */
    default boolean accepts(RunEvent event) {
        try {
            after(event);
            return true;
        } catch (IllegalTransition refused) {
            return false;
        }
    }

    /**
     * What was submitted, and what was requested since; part of every state but the first.
     *
     * @param spec as it was submitted; {@link #specInForce} has the limits that a renewal has changed
     * @param renewal the latest renewal of the deadline, if there was any
     */
    record Submission(
            RunId id,
            RunSpec spec,
            Digest digest,
            Instant submittedAt,
            Optional<Instant> cancelRequestedAt,
            Optional<Renewal> renewal) {
        Submission cancelled(Instant at) {
            return new Submission(
                    id,
                    spec,
                    digest,
                    submittedAt,
                    cancelRequestedAt.isPresent() ? cancelRequestedAt : Optional.of(at),
                    renewal);
        }

        Submission renewed(DeadlineMoved moved) {
            Renewal latest = new Renewal(moved.to(), moved.cpuTime(), renewals() + 1);
            return new Submission(id, spec, digest, submittedAt, cancelRequestedAt, Optional.of(latest));
        }

        /** How often the deadline was moved. */
        public int renewals() {
            return renewal.map(Renewal::count).orElse(0);
        }

        /** The limits in force: as submitted, or as the deadline was moved. */
        public Limits limitsInForce() {
            return renewal.map(latest -> spec.limits()
                            .with(Limit.WALL_CLOCK, latest.wallClock())
                            .with(Limit.CPU_TIME, latest.cpuTime()))
                    .orElse(spec.limits());
        }

        /** The specification of the run's attempts from now on. */
        public RunSpec specInForce() {
            return renewal.isPresent() ? spec.with(limitsInForce()) : spec;
        }
    }

    /**
     * What a run's deadline was moved to.
     *
     * @param wallClock the wall clock limit in force
     * @param cpuTime the limit of processor time in force
     * @param count how often the deadline was moved
     */
    record Renewal(TimeSpan wallClock, TimeSpan cpuTime, int count) {}

    /**
     * A state in which the run exists. Its JSON form is only for messages between nodes of one version and is never
     * stored.
     */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "state")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = Submitted.class, name = "Submitted"),
        @JsonSubTypes.Type(value = Queued.class, name = "Queued"),
        @JsonSubTypes.Type(value = Starting.class, name = "Starting"),
        @JsonSubTypes.Type(value = Running.class, name = "Running"),
        @JsonSubTypes.Type(value = Interrupted.class, name = "Interrupted"),
        @JsonSubTypes.Type(value = Finished.class, name = "Finished"),
    })
    sealed interface Existing extends RunState {
        Submission submission();

        /** The number of the latest attempt; 0 before the first. */
        int attempt();

        RunStatus status();
    }

    /** A run that has not ended. */
    sealed interface Live extends Existing {}

    /** Nothing has happened yet. */
    record Unborn() implements RunState {
        @Override
        public RunState after(RunEvent event) {
            if (event instanceof RunSubmitted submitted) {
                return new Submitted(new Submission(
                        submitted.runId(),
                        submitted.spec(),
                        submitted.submission(),
                        submitted.at(),
                        Optional.empty(),
                        Optional.empty()));
            }
            throw new IllegalTransition(this, event);
        }
    }

    /** Accepted; no attempt yet. */
    record Submitted(Submission submission) implements Live {
        @Override
        public int attempt() {
            return 0;
        }

        @Override
        public RunStatus status() {
            return RunStatus.SUBMITTED;
        }

        @Override
        public RunState after(RunEvent event) {
            if (event instanceof CancelRequested cancel) {
                return new Submitted(submission.cancelled(cancel.at()));
            }
            if (event instanceof DeadlineMoved moved) {
                return new Submitted(submission.renewed(moved));
            }
            if (event instanceof RunQueued) {
                return new Queued(submission);
            }
            return fromBeforeTheFirstAttempt(this, event);
        }
    }

    /** Accepted and waiting for a slot on a node; no attempt yet. */
    record Queued(Submission submission) implements Live {
        @Override
        public int attempt() {
            return 0;
        }

        @Override
        public RunStatus status() {
            return RunStatus.QUEUED;
        }

        @Override
        public RunState after(RunEvent event) {
            if (event instanceof CancelRequested cancel) {
                return new Queued(submission.cancelled(cancel.at()));
            }
            if (event instanceof DeadlineMoved moved) {
                return new Queued(submission.renewed(moved));
            }
            return fromBeforeTheFirstAttempt(this, event);
        }
    }

    /** A sandbox is being created; the agent has not run, so the run can only be ended from outside. */
    record Starting(Submission submission, int attempt, String node) implements Live {
        @Override
        public RunStatus status() {
            return RunStatus.STARTING;
        }

        @Override
        public RunState after(RunEvent event) {
            if (event instanceof CancelRequested cancel) {
                return new Starting(submission.cancelled(cancel.at()), attempt, node);
            }
            if (event instanceof DeadlineMoved moved) {
                return new Starting(submission.renewed(moved), attempt, node);
            }
            if (event instanceof SecretsUsed used && used.attempt() == attempt) {
                return this;
            }
            if (event instanceof AttemptStarted started && started.attempt() == attempt) {
                return new Running(submission, attempt, node, started);
            }
            if (event instanceof AttemptInterrupted interrupted && interrupted.attempt() == attempt) {
                return Interrupted.by(submission, node, interrupted);
            }
            if ((event instanceof RunNotStarted || event instanceof RunKilled || event instanceof RunCancelled)
                    && ((Terminal) event).attempt() == attempt) {
                return finished(this, (Terminal) event, Optional.empty());
            }
            throw new IllegalTransition(this, event);
        }
    }

    /**
     * The agent's process runs.
     *
     * @param started what happened when it began to
     */
    record Running(Submission submission, int attempt, String node, AttemptStarted started) implements Live {
        @Override
        public RunStatus status() {
            return RunStatus.RUNNING;
        }

        @Override
        public RunState after(RunEvent event) {
            if (event instanceof CancelRequested cancel) {
                return new Running(submission.cancelled(cancel.at()), attempt, node, started);
            }
            if (event instanceof DeadlineMoved moved) {
                return new Running(submission.renewed(moved), attempt, node, started);
            }
            if ((event instanceof AlarmRaised alarm && alarm.attempt() == attempt)
                    || (event instanceof EgressDenied denied && denied.attempt() == attempt)
                    || (event instanceof EgressUsed used && used.attempt() == attempt)
                    || (event instanceof ArtifactsKept kept && kept.attempt() == attempt)
                    || (event instanceof WarningSent sent && sent.attempt() == attempt)) {
                return this;
            }
            if (event instanceof AttemptInterrupted interrupted && interrupted.attempt() == attempt) {
                return Interrupted.by(submission, node, interrupted);
            }
            if (event instanceof Terminal terminal
                    && !(event instanceof RunLost)
                    && !(event instanceof RunNotStarted)
                    && terminal.attempt() == attempt) {
                return finished(this, terminal, Optional.of(started));
            }
            throw new IllegalTransition(this, event);
        }
    }

    /**
     * The attempt is over without a result. The next attempt follows when a slot is free, or the run ends now.
     *
     * @param heldBy the node of the attempt
     */
    record Interrupted(Submission submission, int attempt, String heldBy, Interruption cause, String detail)
            implements Live {
        static Interrupted by(Submission submission, String heldBy, AttemptInterrupted event) {
            return new Interrupted(submission, event.attempt(), heldBy, event.cause(), event.detail());
        }

        @Override
        public RunStatus status() {
            return RunStatus.QUEUED;
        }

        /** Whether the run's policy allows another attempt. */
        public boolean mayRestart() {
            return submission.cancelRequestedAt().isEmpty()
                    && submission.spec().onNodeLoss() == NodeLossPolicy.RESTART
                    && attempt < submission.spec().maxAttempts();
        }

        @Override
        public RunState after(RunEvent event) {
            if (event instanceof CancelRequested cancel) {
                return new Interrupted(submission.cancelled(cancel.at()), attempt, heldBy, cause, detail);
            }
            if (event instanceof DeadlineMoved moved) {
                return new Interrupted(submission.renewed(moved), attempt, heldBy, cause, detail);
            }
            if (event instanceof AttemptStarting starting && starting.attempt() == attempt + 1) {
                return new Starting(submission, starting.attempt(), starting.node());
            }
            if ((event instanceof RunLost || event instanceof RunCancelled || event instanceof RunKilled)
                    && ((Terminal) event).attempt() == attempt) {
                return finished(this, (Terminal) event, Optional.empty());
            }
            throw new IllegalTransition(this, event);
        }
    }

    /**
     * The run has ended; no event follows.
     *
     * @param started the start of the agent that ended; empty when none ran, or its node was lost
     * @param end the last event
     */
    record Finished(Submission submission, int attempt, Optional<AttemptStarted> started, Terminal end)
            implements Existing {
        @Override
        public RunStatus status() {
            return statusAfter(end);
        }

        /** The status of a run that ended with this event. */
        public static RunStatus statusAfter(Terminal end) {
            if (end instanceof RunEvent.RunSucceeded) {
                return RunStatus.SUCCEEDED;
            }
            if (end instanceof RunKilled) {
                return RunStatus.KILLED;
            }
            if (end instanceof RunCancelled) {
                return RunStatus.CANCELLED;
            }
            if (end instanceof RunLost) {
                return RunStatus.LOST;
            }
            return RunStatus.FAILED;
        }

        /** Why Vivarium ended the run, if it did. */
        public Optional<KillReason> reason() {
            return reasonFor(end);
        }

        /** Why Vivarium ended a run with this last event, if it did. */
        public static Optional<KillReason> reasonFor(Terminal end) {
            if (end instanceof RunKilled killed) {
                return Optional.of(killed.reason());
            }
            if (end instanceof RunCancelled) {
                return Optional.of(KillReason.CANCELLED);
            }
            if (end instanceof RunLost lost) {
                return Optional.of(lost.cause() == Interruption.DRAINED ? KillReason.DRAINED : KillReason.NODE_LOST);
            }
            return Optional.empty();
        }

        @Override
        public RunState after(RunEvent event) {
            throw new IllegalTransition(this, event);
        }
    }

    /** Events of a run that waits for its first attempt, queued or not. */
    private static RunState fromBeforeTheFirstAttempt(Live run, RunEvent event) {
        if (event instanceof AttemptStarting starting && starting.attempt() == 1) {
            return new Starting(run.submission(), 1, starting.node());
        }
        if ((event instanceof RunCancelled || event instanceof RunNotStarted)
                && ((Terminal) event).attempt() == run.attempt()) {
            return finished(run, (Terminal) event, Optional.empty());
        }
        throw new IllegalTransition(run, event);
    }

    private static Finished finished(Existing from, Terminal end, Optional<AttemptStarted> started) {
        return new Finished(from.submission(), end.attempt(), started, end);
    }

    /** An event that is illegal in a state: a bug or a damaged journal. */
    final class IllegalTransition extends IllegalStateException {
        IllegalTransition(RunState state, RunEvent event) {
            super(event.getClass().getSimpleName() + " may not happen to a run that is "
                    + state.getClass().getSimpleName());
        }
    }
}
