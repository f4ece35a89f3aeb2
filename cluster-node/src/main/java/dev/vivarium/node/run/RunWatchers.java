package dev.vivarium.node.run;

import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.HashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/** Those that follow a run, and how far it has come. Belongs to one Run, and is used by its thread only. */
final class RunWatchers {
    private static final int WATCHERS_MAX = 1_000;

    private final RunId id;
    private final Set<ActorRef<Progress>> watchers = new HashSet<>();
    private long outputEnd;

    RunWatchers(RunId id) {
        this.id = id;
    }

    /** Whether a watcher is new and has to be watched; beyond the limit it gets an answer when it asks, and no more. */
    enum Admitted {
        NEW,
        KNOWN_OR_TOO_MANY
    }

    Admitted add(ActorRef<Progress> watcher) {
        return watchers.size() < WATCHERS_MAX && watchers.add(watcher) ? Admitted.NEW : Admitted.KNOWN_OR_TOO_MANY;
    }

    void remove(ActorRef<Progress> watcher) {
        watchers.remove(watcher);
    }

    void outputAdvanced(long end) {
        outputEnd = end;
    }

    /** Tells all of them how far the run is now. */
    void announce(JournaledRun run) {
        Progress progress = progress(run);
        watchers.forEach(watcher -> watcher.tell(progress));
    }

    Progress progress(JournaledRun run) {
        return new Progress(
                run.seq(),
                outputEnd,
                run.state() instanceof RunState.Finished ? Progress.Life.ENDED : Progress.Life.LIVE);
    }

    /** Answers with the end that the store knows, which does not need the entity: it may have left by then. */
    void answerFinished(JournaledRun run, ActorRef<Progress> watcher, OutputStore output) {
        long known = outputEnd;
        output.end(id)
                .whenComplete((end, failure) ->
                        watcher.tell(new Progress(run.seq(), failure == null ? end : known, Progress.Life.ENDED)));
    }
}
