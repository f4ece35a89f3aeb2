package dev.vivarium.node.http.server;

import dev.vivarium.protocol.auth.Principal;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.PathMatchers;
import org.apache.pekko.http.javadsl.server.Route;

/** Finds the operation of a request, and does what holds for all of them. */
final class Router extends AllDirectives {
    private final ActorSystem<?> system;
    private final Duration bodyTimeout;
    private final Duration requestTimeout;
    private final BrowserGuard guard;
    private final Failures failures;
    private final MeterRegistry metrics;
    private final Clock clock;
    private final List<Operation> operations;

    /**
     * Makes a router.
     *
     * @param operations what is served; where several paths match, the first one counts
     * @param metrics where answers are counted
     */
    Router(
            ActorSystem<?> system,
            HttpSettings settings,
            List<Operation> operations,
            MeterRegistry metrics,
            Clock clock) {
        this.system = system;
        this.bodyTimeout = settings.bodyTimeout();
        this.requestTimeout = settings.requestTimeout();
        this.guard = new BrowserGuard(settings);
        this.failures = new Failures(settings);
        this.metrics = metrics;
        this.clock = clock;
        this.operations = List.copyOf(operations);
    }

    Route route() {
        Route paths = path(PathMatchers.segments(), this::operation);
        Route guarded = extractRequest(
                request -> guard.refusal(request).<Route>map(this::complete).orElse(paths));
        Route total = guarded.seal(failures.rejections(), failures.exceptions());
        return extractRequest(request -> withRequestTimeoutResponse(
                late -> finished(late, failures.timeout(late)),
                () -> mapResponse(response -> finished(request, response), () -> afterBody(request, total))));
    }

    /** The operations of a path, each of which takes its own method and rejects others. */
    private Route operation(List<String> path) {
        return operations.stream()
                .flatMap(operation -> operation.path().match(path).stream()
                        .map(values -> method(
                                operation.method(),
                                () -> extractRequest(request -> completeWithFuture(operation
                                        .endpoint()
                                        .answer(new Exchange(
                                                request,
                                                caller(),
                                                values,
                                                clock.instant().plus(requestTimeout))))))))
                .reduce((first, second) -> concat(first, second))
                .orElseGet(this::reject);
    }

    /** A node does not authenticate: it listens on its own machine, and whoever reaches it there operates it. */
    private static Principal caller() {
        return Principal.LOCAL_OPERATOR;
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
}
