package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.CancelAnswer;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Lists runs, shows one, and cancels one. A single run is folded from its journal, so it is never out of date. */
final class RunsEndpoint {
    private static final int PAGE = 50;
    private static final int MAX_PAGE = 500;
    private static final Map<String, RunStatus> STATUSES =
            Arrays.stream(RunStatus.values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));

    private final Runs runs;
    private final RunLookup lookup;
    private final RunIndex index;

    RunsEndpoint(RunLookup lookup, Runs runs, RunIndex index) {
        this.runs = runs;
        this.lookup = lookup;
        this.index = index;
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        QueryReader reader =
                new QueryReader(exchange.request(), Set.of("status", "tenant", "label", "since", "cursor", "limit"));
        Map<String, String> labels = reader.pairs("label");
        reader.tenant().ifPresent(tenant -> reader.add("tenant", labels, RunSpec.TENANT_LABEL, tenant.name()));
        Identity caller = exchange.caller();
        caller.onlyTenant().ifPresent(own -> reader.add("tenant", labels, RunSpec.TENANT_LABEL, own.name()));
        caller.scope().labels().forEach((key, value) -> reader.add("label", labels, key, value));
        RunIndex.Query query = new RunIndex.Query(
                reader.words("status", STATUSES), labels, reader.instant("since"), reader.text("cursor"), (int)
                        reader.number("limit", PAGE, 1, MAX_PAGE));
        return reader.refusal()
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> index.find(query)
                        .thenApply(page -> Answers.json(200, page))
                        .exceptionally(RunsEndpoint::badCursor));
    }

    /** Only the index can tell a cursor of its own from another text. */
    private static HttpResponse badCursor(Throwable failure) {
        Throwable cause = StageFailure.cause(failure);
        if (cause instanceof RunIndex.BadCursor bad) {
            return Answers.problem(
                    ProblemType.INVALID_QUERY,
                    String.valueOf(bad.getMessage()),
                    List.of(new FieldError("cursor", "must be the 'next' field of the page before")));
        }
        throw new CompletionException(cause);
    }

    CompletionStage<HttpResponse> show(Exchange exchange) {
        return lookup.answer(exchange, state -> {
            RunView view = RunView.of(state);
            return state.status() == RunStatus.QUEUED
                    ? runs.position(view.id())
                            .thenApply(position -> position.map(view::waiting).orElse(view))
                            .thenApply(waiting -> Answers.json(200, waiting))
                    : CompletableFuture.completedStage(Answers.json(200, view));
        });
    }

    CompletionStage<HttpResponse> cancel(Exchange exchange) {
        Caller caller = Callers.of(exchange);
        return lookup.answer(exchange, run -> runs.cancel(run.submission().id(), caller)
                .thenApply(answer -> answer instanceof CancelAnswer.Noted noted
                        ? Answers.json(202, RunView.of(noted.run()))
                        : RunLookup.noSuchRun()));
    }
}
