package dev.vivarium.node.run;

import dev.vivarium.node.run.Runs.Interest;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.node.sandbox.SandboxReport;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * The watchers of a run, and its progress. Output that has just been stored goes to them with the progress, so that one
 * that has read what was before it need not ask the store. Belongs to one Run and is confined to its thread.
 */
final class RunWatchers {
    private static final int WATCHERS_MAX = 1_000;

    private final ActorContext<Run.Command> context;
    private final RunId id;
    private final OutputStore output;
    private final int pushBytesMax;
    private final Map<ActorRef<Progress>, Interest> watchers = new HashMap<>();
    private Known known = new Known(0, 0);

    /** A watcher has stopped. */
    record Gone(ActorRef<Progress> watcher) implements Run.Command {}

    /** How far an attempt's output can be read, by its own report. */
    private record Known(int attempt, long end) {}

    RunWatchers(ActorContext<Run.Command> context, RunId id, RunEnvironment environment) {
        this.context = context;
        this.id = id;
        this.output = environment.sandbox().store().output();
        this.pushBytesMax = environment.pushBytesMax();
    }

    /** Answers with the current progress; above the limit a watcher only gets this answer to its request. */
    void add(Run.Watch watch, JournaledRun run) {
        ActorRef<Progress> watcher = watch.watcher();
        if (watchers.size() < WATCHERS_MAX && watchers.put(watcher, watch.interest()) == null) {
            context.watchWith(watcher, new Gone(watcher));
        }
        watcher.tell(progress(run));
    }

    void remove(Gone gone) {
        watchers.remove(gone.watcher);
    }

    /** Handles a report of how far the output can be read, and announces it to those who want output. */
    void heard(SandboxReport report, JournaledRun run) {
        if (report instanceof SandboxReport.OutputAdvanced advanced) {
            known = new Known(advanced.attempt(), advanced.end());
            Progress bare = progress(run);
            Progress progress = new Progress(bare.seq(), bare.outputEnd(), bare.life(), pushed(advanced.stored()));
            watchers.forEach((watcher, interest) -> {
                if (interest == Interest.OUTPUT) {
                    watcher.tell(progress);
                }
            });
        }
    }

    private List<OutputChunk> pushed(List<OutputChunk> stored) {
        return Progress.size(stored) <= pushBytesMax ? stored : List.of();
    }

    /** Sends the current progress to all watchers. */
    void announce(JournaledRun run) {
        Progress progress = progress(run);
        watchers.keySet().forEach(watcher -> watcher.tell(progress));
    }

    /** Between two attempts the end is not known: the earlier one may have stored more than it could report. */
    private Progress progress(JournaledRun run) {
        return new Progress(
                run.seq(),
                known.attempt == run.existing().attempt() ? OptionalLong.of(known.end) : OptionalLong.empty(),
                run.state() instanceof RunState.Finished ? Progress.Life.ENDED : Progress.Life.LIVE);
    }

    /** Answers with the end from the store, which does not need the entity: it may have stopped by then. */
    void answerFinished(ActorRef<Progress> watcher, JournaledRun run) {
        output.end(id)
                .whenComplete((end, failure) -> watcher.tell(new Progress(
                        run.seq(),
                        failure == null ? OptionalLong.of(end) : OptionalLong.empty(),
                        Progress.Life.ENDED)));
    }
}
