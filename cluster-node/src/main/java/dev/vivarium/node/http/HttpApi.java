package dev.vivarium.node.http;

import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RunIndex;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.PathMatcher0;
import org.apache.pekko.http.javadsl.server.PathMatcher1;
import org.apache.pekko.http.javadsl.server.PathMatchers;
import org.apache.pekko.http.javadsl.server.Route;

/** The routes of the API, and what holds for all of them. What each does is in its endpoint. */
public final class HttpApi extends AllDirectives {
    private static final List<MediaType> JSON = List.of(MediaTypes.APPLICATION_JSON);

    private final ActorSystem<?> system;
    private final Duration bodyTimeout;
    private final BrowserGuard guard;
    private final Failures failures;
    private final PrometheusMeterRegistry metrics;
    private final SubmitEndpoint submit;
    private final RunsEndpoint runs;
    private final OutputEndpoint output;
    private final EventsEndpoint events;
    private final NodeEndpoint node;
    private final List<Operation> operations;

    /**
     * What the API stands on.
     *
     * @param readiness tells whether the node can do its work
     * @param metrics what {@code /metrics} shows; the API adds its own
     */
    public record Parts(
            SubmissionReader reader,
            Admission admission,
            Runs runs,
            RunJournal journal,
            OutputStore output,
            RunIndex index,
            Readiness readiness,
            PrometheusMeterRegistry metrics) {}

    public HttpApi(ActorSystem<?> system, HttpSettings settings, Parts parts) {
        Followers followers = new Followers();
        this.system = system;
        this.bodyTimeout = settings.bodyTimeout();
        this.guard = new BrowserGuard(settings);
        this.failures = new Failures(settings);
        this.metrics = parts.metrics();
        this.submit = new SubmitEndpoint(system, settings, parts.reader(), parts.admission());
        this.runs = new RunsEndpoint(parts.runs(), parts.journal(), parts.index());
        this.output = new OutputEndpoint(parts.runs(), parts.output(), followers, settings);
        this.events = new EventsEndpoint(parts.runs(), parts.journal(), followers, settings);
        this.node = new NodeEndpoint(parts.runs(), parts.readiness(), metrics);
        this.operations = operations();
        Gauge.builder("vivarium.http.followers", followers, Followers::count)
                .description("Clients that follow the output or the events of a run")
                .register(metrics);
    }

    /** All routes; every answer that they give is one that {@code openapi.yaml} describes. */
    Route route() {
        Route paths = paths();
        Route guarded = extractRequest(
                request -> guard.refusal(request).<Route>map(this::complete).orElse(paths));
        Route total = guarded.seal(failures.rejections(), failures.exceptions());
        return extractRequest(request -> withRequestTimeoutResponse(
                late -> finished(late, failures.timeout(late)),
                () -> mapResponse(response -> finished(request, response), () -> afterBody(request, total))));
    }

    /**
     * Answers when the whole body has come, wanted or not: a client that is still sending would find its connection
     * broken, and not see the answer.
     */
    private Route afterBody(HttpRequest request, Route route) {
        return mapRouteResultFuture(
                result -> result.thenCompose(answer -> RequestBody.discard(request.entity(), bodyTimeout, system)
                        .thenApply(discarded -> answer)),
                () -> route);
    }

    private HttpResponse finished(HttpRequest request, HttpResponse response) {
        metrics.counter(
                        "vivarium.http.responses",
                        "method",
                        request.method().name(),
                        "status",
                        Integer.toString(response.status().intValue()))
                .increment();
        return StandardHeaders.on(response);
    }

    /** What is served, as the document writes it: {@code GET /v1/runs/{id}}. */
    List<String> served() {
        return operations.stream().map(Operation::toString).toList();
    }

    private List<Operation> operations() {
        return List.of(
                new Operation(HttpMethods.POST, "/v1/runs", json((request, id) -> submit.answer(request))),
                new Operation(HttpMethods.GET, "/v1/runs", json((request, id) -> runs.list(request))),
                new Operation(HttpMethods.GET, "/v1/runs/{id}", json((request, id) -> runs.show(id))),
                new Operation(HttpMethods.POST, "/v1/runs/{id}/cancel", json((request, id) -> runs.cancel(id))),
                new Operation(
                        HttpMethods.GET,
                        "/v1/runs/{id}/output",
                        (request, id) -> runs.withRun(
                                id,
                                state -> output.answer(
                                        request, state.submission().id()))),
                new Operation(
                        HttpMethods.GET,
                        "/v1/runs/{id}/events",
                        (request, id) -> runs.withRun(id, state -> events.answer(request, state))),
                new Operation(
                        HttpMethods.GET,
                        "/v1/nodes",
                        json((request, id) -> CompletableFuture.completedStage(node.nodes()))),
                new Operation(HttpMethods.GET, "/health/alive", now(node::alive)),
                new Operation(HttpMethods.GET, "/health/ready", (request, id) -> node.ready()),
                new Operation(HttpMethods.GET, "/metrics", now(node::metrics)),
                new Operation(HttpMethods.GET, "/openapi.yaml", now(node::openApi)));
    }

    /** Answers a request; is given the id that the path names, or nothing where it names none. */
    @FunctionalInterface
    private interface Endpoint {
        CompletionStage<HttpResponse> answer(HttpRequest request, String id);
    }

    /** A method of a path, as the document has it. */
    private record Operation(HttpMethod method, String path, Endpoint endpoint) {
        @Override
        public String toString() {
            return method.name() + " " + path;
        }
    }

    private Route paths() {
        return operations.stream()
                .map(this::route)
                .reduce((first, second) -> concat(first, second))
                .orElseThrow();
    }

    private Route route(Operation operation) {
        String[] around = operation.path().split("/\\{id\\}", -1);
        Function<String, Route> answered = id -> method(
                operation.method(),
                () -> extractRequest(
                        request -> completeWithFuture(operation.endpoint().answer(request, id))));
        PathMatcher0 before = matcher(around[0]);
        if (around.length == 1) {
            return path(before, () -> answered.apply(""));
        }
        PathMatcher1<String> withId = before.slash(segment());
        return path(around[1].isEmpty() ? withId : withId.slash(matcher(around[1])), answered);
    }

    private static PathMatcher0 matcher(String path) {
        return Arrays.stream(path.substring(1).split("/", -1))
                .map(PathMatchers::segment)
                .reduce(PathMatcher0::slash)
                .orElseThrow();
    }

    /** An endpoint that answers with JSON, for clients that take it. */
    private static Endpoint json(Endpoint endpoint) {
        return (request, id) -> Acceptable.best(request, JSON).isPresent()
                ? endpoint.answer(request, id)
                : CompletableFuture.completedStage(Acceptable.refusal(JSON));
    }

    private static Endpoint now(Supplier<HttpResponse> endpoint) {
        return (request, id) -> CompletableFuture.completedStage(endpoint.get());
    }
}
