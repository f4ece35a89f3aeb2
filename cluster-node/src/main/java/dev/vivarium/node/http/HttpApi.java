package dev.vivarium.node.http;

import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.output.OutputStore;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.Route;

/** The routes of the API, and what holds for all of them. What each does is in its endpoint. */
public final class HttpApi extends AllDirectives {
    private static final List<MediaType> JSON = List.of(MediaTypes.APPLICATION_JSON);

    private final BrowserGuard guard;
    private final Failures failures;
    private final PrometheusMeterRegistry metrics;
    private final SubmitEndpoint submit;
    private final RunsEndpoint runs;
    private final OutputEndpoint output;
    private final EventsEndpoint events;
    private final NodeEndpoint node;

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
        this.guard = new BrowserGuard(settings);
        this.failures = new Failures(settings);
        this.metrics = parts.metrics();
        this.submit = new SubmitEndpoint(system, settings, parts.reader(), parts.admission());
        this.runs = new RunsEndpoint(parts.runs(), parts.journal(), parts.index());
        this.output = new OutputEndpoint(parts.runs(), parts.output(), followers, settings);
        this.events = new EventsEndpoint(parts.runs(), parts.journal(), followers, settings);
        this.node = new NodeEndpoint(parts.readiness(), metrics);
        Gauge.builder("vivarium.http.followers", followers, Followers::count)
                .description("Clients that follow the output or the events of a run")
                .register(metrics);
    }

    /** All routes; every answer that they give is one that {@code openapi.yaml} describes. */
    Route route() {
        Route guarded = extractRequest(
                request -> guard.refusal(request).<Route>map(this::complete).orElseGet(this::paths));
        Route total = guarded.seal(failures.rejections(), failures.exceptions());
        return extractRequest(request -> withRequestTimeoutResponse(
                late -> finished(late, failures.timeout(late)),
                () -> mapResponse(response -> finished(request, response), () -> total)));
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

    private Route paths() {
        return concat(
                path(
                        segment("v1").slash("runs"),
                        () -> concat(post(() -> json(submit::answer)), get(() -> json(runs::list)))),
                path(segment("v1").slash("runs").slash(segment()), id -> get(() -> json(request -> runs.show(id)))),
                path(
                        segment("v1").slash("runs").slash(segment()).slash("cancel"),
                        id -> post(() -> json(request -> runs.cancel(id)))),
                path(
                        segment("v1").slash("runs").slash(segment()).slash("output"),
                        id -> get(() -> answer(request -> runs.withRun(
                                id,
                                state -> output.answer(
                                        request, state.submission().id()))))),
                path(
                        segment("v1").slash("runs").slash(segment()).slash("events"),
                        id -> get(() -> answer(request -> runs.withRun(id, state -> events.answer(request, state))))),
                path(segment("health").slash("alive"), () -> get(() -> answerNow(node::alive))),
                path(segment("health").slash("ready"), () -> get(() -> answer(request -> node.ready()))),
                path(segment("metrics"), () -> get(() -> answerNow(node::metrics))),
                path(segment("openapi.yaml"), () -> get(() -> answerNow(node::openApi))));
    }

    private Route answer(Function<HttpRequest, CompletionStage<HttpResponse>> endpoint) {
        return extractRequest(request -> completeWithFuture(endpoint.apply(request)));
    }

    /** An endpoint that answers with JSON, for clients that take it. */
    private Route json(Function<HttpRequest, CompletionStage<HttpResponse>> endpoint) {
        return extractRequest(request -> Acceptable.best(request, JSON).isPresent()
                ? completeWithFuture(endpoint.apply(request))
                : complete(Acceptable.refusal(JSON)));
    }

    private Route answerNow(Supplier<HttpResponse> endpoint) {
        return extractRequest(request -> complete(endpoint.get()));
    }
}
