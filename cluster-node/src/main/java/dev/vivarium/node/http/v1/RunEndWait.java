package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.ClientPresence;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;

/** Waits for the end of a run, for as long as its client is there and at most for a time. */
final class RunEndWait {
    private final ActorSystem<?> system;
    private final Runs runs;
    private final RunJournal journal;

    RunEndWait(ActorSystem<?> system, Runs runs, RunJournal journal) {
        this.system = system;
        this.runs = runs;
        this.journal = journal;
    }

    /**
     * Answers 200 with a run that has ended, else 202 with the run as it is. Never fails: the run is durable, whatever
     * becomes of the wait.
     */
    CompletionStage<HttpResponse> answer(
            RunState.Existing accepted, Duration longest, ClientPresence client, Followers.Share followers) {
        if (accepted instanceof RunState.Finished) {
            return CompletableFuture.completedStage(answer(accepted));
        }
        RunId run = accepted.submission().id();
        return followers
                .counted(() -> ended(run, longest, client))
                .thenCompose(done -> journal.state(run))
                .handle((state, failure) -> answer(state instanceof RunState.Existing now ? now : accepted));
    }

    private CompletionStage<Done> ended(RunId run, Duration longest, ClientPresence client) {
        Pair<UniqueKillSwitch, CompletionStage<Done>> wait = runs.progress(run, Runs.Interest.EVENTS)
                .takeWhile(progress -> progress.life() == Progress.Life.LIVE)
                .takeWithin(longest)
                .viaMat(KillSwitches.single(), Keep.right())
                .toMat(Sink.ignore(), Keep.both())
                .run(system);
        client.gone().thenRun(() -> wait.first().shutdown());
        return wait.second();
    }

    private static HttpResponse answer(RunState.Existing run) {
        return Answers.json(run instanceof RunState.Finished ? 200 : 202, RunView.of(run));
    }
}
