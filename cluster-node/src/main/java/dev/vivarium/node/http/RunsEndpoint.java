package dev.vivarium.node.http;

import dev.vivarium.node.run.CancelAnswer;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Lists runs, shows one, and asks one to stop. A single run is folded from its journal, so it is never out of date. */
final class RunsEndpoint {
    private static final int PAGE = 50;
    private static final int MAX_PAGE = 500;
    private static final Map<String, RunStatus> STATUSES =
            Arrays.stream(RunStatus.values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));

    private final Runs runs;
    private final RunJournal journal;
    private final RunIndex index;

    RunsEndpoint(Runs runs, RunJournal journal, RunIndex index) {
        this.runs = runs;
        this.journal = journal;
        this.index = index;
    }

    CompletionStage<HttpResponse> list(HttpRequest request) {
        QueryReader reader = new QueryReader(request, Set.of("status", "tenant", "label", "since", "cursor", "limit"));
        Map<String, String> labels = reader.pairs("label");
        reader.text("tenant").ifPresent(tenant -> reader.add("tenant", labels, RunSpec.TENANT_LABEL, tenant));
        RunIndex.Query query = new RunIndex.Query(
                reader.words("status", STATUSES),
                labels,
                reader.text("since").flatMap(text -> instant(reader, text)),
                reader.text("cursor"),
                (int) reader.number("limit", PAGE, 1, MAX_PAGE));
        return reader.refusal()
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> index.find(query).thenApply(page -> Answers.json(200, page)));
    }

    private static Optional<Instant> instant(QueryReader reader, String text) {
        return reader.parsed(
                "since",
                text,
                time -> OffsetDateTime.parse(time).toInstant(),
                "must be a time such as 2026-01-31T12:00:00Z (write the + of an offset as %2B)");
    }

    CompletionStage<HttpResponse> show(String id) {
        return withRun(id, state -> {
            RunView view = RunView.of(state);
            return state.status() == RunStatus.QUEUED
                    ? runs.position(view.id())
                            .thenApply(position -> position.map(view::waiting).orElse(view))
                            .thenApply(waiting -> Answers.json(200, waiting))
                    : CompletableFuture.completedStage(Answers.json(200, view));
        });
    }

    CompletionStage<HttpResponse> cancel(String id) {
        if (!RunId.isValid(id)) {
            return CompletableFuture.completedStage(noSuchRun());
        }
        return runs.cancel(new RunId(id))
                .thenApply(answer -> answer instanceof CancelAnswer.Noted noted
                        ? Answers.json(202, RunView.of(noted.run()))
                        : noSuchRun());
    }

    /** Answers for a run that exists; for any other, that it does not. */
    CompletionStage<HttpResponse> withRun(
            String id, Function<RunState.Existing, CompletionStage<HttpResponse>> answer) {
        if (!RunId.isValid(id)) {
            return CompletableFuture.completedStage(noSuchRun());
        }
        return journal.state(new RunId(id))
                .thenCompose(state -> state instanceof RunState.Existing existing
                        ? answer.apply(existing)
                        : CompletableFuture.completedStage(noSuchRun()));
    }

    private static HttpResponse noSuchRun() {
        return Answers.problem(ProblemType.NO_SUCH_RUN, "No run of this id was ever accepted.");
    }
}
