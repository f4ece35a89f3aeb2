package dev.vivarium.node.run;

import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.slf4j.Logger;

/**
 * Whether the store remembers a run, so that it comes back after a crash: changed by one step at a time, for which
 * submissions wait that come meanwhile. Belongs to one Run, and is used by its thread only.
 */
final class RunMemory {
    private final ActorContext<Run.Command> context;
    private final RememberedRuns runs;
    private final RunId id;
    private final String shard;
    private final List<Run.Submit> waiting = new ArrayList<>();
    private Phase phase = Phase.SETTLED;

    /** Whether what the store remembers is just being changed. */
    enum Phase {
        SETTLED,
        CHANGING
    }

    RunMemory(ActorContext<Run.Command> context, RememberedRuns runs, RunId id, String shard) {
        this.context = context;
        this.runs = runs;
        this.id = id;
        this.shard = shard;
    }

    Phase phase() {
        return phase;
    }

    /** Keeps a submission until the step that is under way is done. */
    void defer(Run.Submit submit) {
        waiting.add(submit);
    }

    /** Has the run remembered; the message tells of it, with the failure if it could not be. */
    void remember(Function<Optional<Throwable>, Run.Command> message) {
        phase = Phase.CHANGING;
        context.pipeToSelf(runs.remember(shard, id), (done, failure) -> message.apply(Optional.ofNullable(failure)));
    }

    /** Has the run forgotten, whether that succeeds or not; the message tells when. */
    void forget(Run.Command message) {
        Logger log = context.getLog();
        phase = Phase.CHANGING;
        context.pipeToSelf(runs.forget(shard, id), (done, failure) -> {
            if (failure != null) {
                // The entity that is woken for it next finds that it has ended, and does it again.
                log.info("Run {} is remembered for longer than needed: {}", id, failure.getMessage());
            }
            return message;
        });
    }

    /** The step is done: submissions that have waited for it are next. Answers how many. */
    int settle() {
        phase = Phase.SETTLED;
        int next = waiting.size();
        waiting.forEach(context.getSelf()::tell);
        waiting.clear();
        return next;
    }

    /** Begins from the journal: what waited was lost with the mailbox. */
    void reset() {
        phase = Phase.SETTLED;
        waiting.clear();
    }
}
