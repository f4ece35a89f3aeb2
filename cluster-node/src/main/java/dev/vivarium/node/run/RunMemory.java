package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.slf4j.Logger;

/**
 * Whether the store remembers a run, so that it is recovered after a crash. Changed by one operation at a time;
 * submissions and the entity's stop wait for it meanwhile. Belongs to one Run and is confined to its thread.
 */
final class RunMemory {
    private final ActorContext<Run.Command> context;
    private final RememberedRuns runs;
    private final RunId id;
    private final String shardName;
    private final ActorRef<ClusterSharding.ShardCommand> shard;
    private final List<Run.Submit> waiting = new ArrayList<>();
    private Phase phase = Phase.SETTLED;

    /** Whether a change is in progress. */
    enum Phase {
        SETTLED,
        CHANGING
    }

    /** The outcome of an operation. */
    sealed interface Message extends Run.Command {}

    /** The store has recorded the submission's run, or failed to. */
    record Remembered(Run.Submit submit, List<RunEvent> events, Optional<Throwable> failure) implements Message {}

    /** The store has removed the run, or will be asked again. */
    enum Forgotten implements Message {
        INSTANCE
    }

    /**
     * The memory of a run without an operation in progress.
     *
     * @param shard receives passivation requests; the same for all shards
     */
    RunMemory(
            ActorContext<Run.Command> context,
            RememberedRuns runs,
            RunId id,
            String shardName,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        this.context = context;
        this.runs = runs;
        this.id = id;
        this.shardName = shardName;
        this.shard = shard;
    }

    Phase phase() {
        return phase;
    }

    /** Defers a submission until the operation in progress is done. */
    void defer(Run.Submit submit) {
        waiting.add(submit);
    }

    /**
     * Records the run, before anything is durable that a recovery would have to continue; {@link Remembered} follows. If
     * the record is written with the run's first event, there is nothing to wait for, and it is returned.
     */
    Optional<Remembered> remember(Run.Submit submit, List<RunEvent> events) {
        if (isChangedWithEvents()) {
            return Optional.of(new Remembered(submit, events, Optional.empty()));
        }
        phase = Phase.CHANGING;
        context.pipeToSelf(
                runs.remember(shardName, id),
                (done, failure) -> new Remembered(submit, events, Optional.ofNullable(failure)));
        return Optional.empty();
    }

    private boolean isChangedWithEvents() {
        return runs.changes() == RememberedRuns.Changes.WITH_EVENTS;
    }

    /** New entries of the run, with what their write changes in the store's memory, where it can be changed with them. */
    List<DecodedEntry> changing(JournaledRun before, List<DecodedEntry> entries) {
        if (entries.isEmpty() || !isChangedWithEvents()) {
            return entries;
        }
        List<DecodedEntry> changing = new ArrayList<>(entries);
        if (before.state() instanceof RunState.Unborn) {
            changing.set(0, entries.get(0).changing(shardName, id, RememberingEntry.Change.REMEMBER));
        }
        int last = entries.size() - 1;
        if (before.state() instanceof RunState.Existing run
                && entries.get(last).event() instanceof RunEvent.Terminal
                && isForgottenWithEnd(run)) {
            changing.set(last, entries.get(last).changing(shardName, id, RememberingEntry.Change.FORGET));
        }
        return changing;
    }

    /**
     * Whether the run's last event removes it from the store's memory. Not if something outlives that event and must be
     * released first: after a crash in between, the run is recovered for it.
     */
    boolean isForgottenWithEnd(RunState.Existing run) {
        return isChangedWithEvents()
                && !RunFarewell.hasToRelease(run.submission().spec());
    }

    /** Removes the run; {@link Forgotten} follows, whether that succeeds or not. */
    void forget() {
        Logger log = context.getLog();
        phase = Phase.CHANGING;
        context.pipeToSelf(runs.forget(shardName, id), (done, failure) -> {
            if (failure != null) {
                // The entity that is woken for it next sees that it has ended, and repeats this.
                log.info("Run {} remains in the store's memory for longer than needed: {}", id, failure.getMessage());
            }
            return Forgotten.INSTANCE;
        });
    }

    /** The operation is done: deferred submissions are next. Returns their number. */
    int settle() {
        phase = Phase.SETTLED;
        int next = waiting.size();
        waiting.forEach(context.getSelf()::tell);
        waiting.clear();
        return next;
    }

    /** Asks the shard for {@link Run.Leave}, unless an operation is in progress, after which it is asked again. */
    void leave() {
        if (phase == Phase.SETTLED) {
            shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        }
    }

    /** Restarts from the journal: deferred submissions were lost with the mailbox. */
    void reset() {
        phase = Phase.SETTLED;
        waiting.clear();
    }
}
