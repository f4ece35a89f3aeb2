package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Finds the run named in a path. */
final class RunLookup {
    private final RunJournal journal;

    RunLookup(RunJournal journal) {
        this.journal = journal;
    }

    /** Answers for a run that exists for the caller; otherwise with 404, also for a run of another tenant. */
    CompletionStage<HttpResponse> answer(
            Exchange exchange, Function<RunState.Existing, CompletionStage<HttpResponse>> answer) {
        return id(exchange)
                .map(run -> journal.state(run)
                        .thenCompose(state -> state instanceof RunState.Existing existing
                                        && exchange.caller()
                                                .sees(existing.submission().spec())
                                ? answer.apply(existing)
                                : CompletableFuture.completedStage(noSuchRun())))
                .orElseGet(() -> CompletableFuture.completedStage(noSuchRun()));
    }

    /** The run's id; empty when the path parameter cannot be one. */
    static Optional<RunId> id(Exchange exchange) {
        String id = exchange.parameter("id");
        return RunId.isValid(id) ? Optional.of(new RunId(id)) : Optional.empty();
    }

    static HttpResponse noSuchRun() {
        return Answers.problem(
                ProblemType.NO_SUCH_RUN,
                "No run of this id was ever accepted, or its time was over and it was deleted.");
    }
}
