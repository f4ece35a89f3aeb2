package dev.vivarium.node.run;

import dev.vivarium.node.run.RunDecision.Step;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * Carries out the steps that {@link RunDecision} decides, once they are durable: starts and stops the attempt, claims and
 * releases the slot, checks again later, and announces the run's progress. Belongs to one Run and is confined to its thread.
 */
final class RunSteps {
    private static final Duration LEASE_LOOK = Duration.ofMillis(200);
    /** How often a run that waits for the end of another node's lease checks for an earlier known end. */
    private static final Duration EARLIER_LOOK = Duration.ofMillis(250);

    /** How long an entity without events stays, since the run's submission may be in flight. */
    private static final Duration UNBORN_MAX = Duration.ofMinutes(1);

    private final ActorContext<Run.Command> context;
    private final RunSlot slot;
    private final RunMemory memory;
    private final RunAttempt attempt;
    private final RunConditions conditions;
    private final RunWatchers watchers;
    private final RunFarewell farewell;

    RunSteps(
            ActorContext<Run.Command> context,
            RunSlot slot,
            RunMemory memory,
            RunAttempt attempt,
            RunConditions conditions,
            RunWatchers watchers,
            RunFarewell farewell) {
        this.context = context;
        this.slot = slot;
        this.memory = memory;
        this.attempt = attempt;
        this.conditions = conditions;
        this.watchers = watchers;
        this.farewell = farewell;
    }

    /**
     * A live attempt has lost its sandbox with the entity that owned it: because the entity is new, or because the journal
     * failed and this same object restarts after its children were stopped.
     */
    void recovered(JournaledRun run) {
        attempt.gone();
        memory.reset();
        conditions.recovered();
        if (run.state() instanceof RunState.Live live) {
            slot.claim(live);
            context.getSelf()
                    .tell(attempt.unsaved(live)
                            .<Run.Command>map(RunAttempt.Reported::new)
                            .orElse(Run.Proceed.INSTANCE));
            return;
        }
        // Releases the slot of a submission that the journal could not store.
        slot.leave();
        if (run.state() instanceof RunState.Finished finished) {
            // The entity may have stopped between its last event and this clean-up.
            farewell.release(finished);
        } else {
            context.setReceiveTimeout(UNBORN_MAX, Run.NeverBorn.INSTANCE);
            // Changes nothing here, but Pekko takes one message out of its stash after a recovery, and the next after a
            // command. The first may be the journal's answer for the second event of the write that failed, on which
            // nothing follows: a submission behind it would wait for the next message.
            context.getSelf().tell(Run.Proceed.INSTANCE);
        }
    }

    /** The run is durable; its first attempt was started by the same write, or is decided now. */
    void born(JournaledRun run) {
        context.cancelReceiveTimeout();
        if (run.state() instanceof RunState.Starting) {
            attempt.begin(run.existing());
            announce(run);
        } else {
            context.getSelf().tell(Run.Proceed.INSTANCE);
        }
    }

    /** Carries out a step whose events, if any, are durable; the run is the one after them. */
    void carryOut(Step step, JournaledRun run) {
        if (step instanceof Step.Start) {
            attempt.begin(run.existing());
            announce(run);
        } else if (step instanceof Step.Stop) {
            attempt.stop();
            announce(run);
        } else if (step instanceof Step.StopAgain) {
            attempt.stop();
        } else if (step instanceof Step.HandOver) {
            slot.giveBack((RunState.Live) run.state());
            // Its watchers alone are told: a run that tells itself would decide again, and again, until its shard
            // moves.
            watchers.announce(run);
        } else if (step instanceof Step.AwaitLease) {
            proceedIn(LEASE_LOOK);
        } else if (step instanceof Step.AwaitEarlier) {
            Duration left = conditions.untilEarlierIsGone(run.state());
            proceedIn(left.compareTo(EARLIER_LOOK) < 0 ? left : EARLIER_LOOK);
        } else if (!(step instanceof Step.AwaitSlot || step instanceof Step.Nothing)) {
            announce(run);
        }
        // Its turn for a slot comes as a message.
    }

    /** Called after a durable write: notifies watchers, and takes the next step that the state requires. */
    void announce(JournaledRun run) {
        if (run.state() instanceof RunState.Finished) {
            farewell.ended(run);
            return;
        }
        watchers.announce(run);
        if (run.state() instanceof RunState.Interrupted) {
            context.getSelf().tell(Run.Proceed.INSTANCE);
        }
    }

    private void proceedIn(Duration wait) {
        context.scheduleOnce(wait, context.getSelf(), Run.Proceed.INSTANCE);
    }
}
