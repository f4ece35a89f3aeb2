package dev.vivarium.node.run;

import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.HashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** The watchers of a run, and its progress. Belongs to one Run and is confined to its thread. */
final class RunWatchers {
    private static final int WATCHERS_MAX = 1_000;

    private final ActorContext<Run.Command> context;
    private final RunId id;
    private final OutputStore output;
    private final Set<ActorRef<Progress>> watchers = new HashSet<>();
    private long outputEnd;

    /** A watcher has stopped. */
    record Gone(ActorRef<Progress> watcher) implements Run.Command {}

    RunWatchers(ActorContext<Run.Command> context, RunId id, OutputStore output) {
        this.context = context;
        this.id = id;
        this.output = output;
    }

    /** Answers with the current progress; above the limit a watcher only gets this answer to its request. */
    void add(ActorRef<Progress> watcher, JournaledRun run) {
        if (watchers.size() < WATCHERS_MAX && watchers.add(watcher)) {
            context.watchWith(watcher, new Gone(watcher));
        }
        watcher.tell(progress(run));
    }

    void remove(Gone gone) {
        watchers.remove(gone.watcher);
    }

    /** Handles a report of how far the output can be read, and announces it. */
    void heard(SandboxReport report, JournaledRun run) {
        if (report instanceof SandboxReport.OutputAdvanced advanced) {
            outputEnd = advanced.end();
            announce(run);
        }
    }

    /** Sends the current progress to all watchers. */
    void announce(JournaledRun run) {
        Progress progress = progress(run);
        watchers.forEach(watcher -> watcher.tell(progress));
    }

    private Progress progress(JournaledRun run) {
        return new Progress(
                run.seq(),
                outputEnd,
                run.state() instanceof RunState.Finished ? Progress.Life.ENDED : Progress.Life.LIVE);
    }

    /** Answers with the end from the store, which does not need the entity: it may have stopped by then. */
    void answerFinished(ActorRef<Progress> watcher, JournaledRun run) {
        long known = outputEnd;
        output.end(id)
                .whenComplete((end, failure) ->
                        watcher.tell(new Progress(run.seq(), failure == null ? end : known, Progress.Life.ENDED)));
    }
}
