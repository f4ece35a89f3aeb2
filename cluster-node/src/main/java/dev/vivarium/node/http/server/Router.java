package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Identity;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Connection;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.PathMatchers;
import org.apache.pekko.http.javadsl.server.Route;

/**
 * Routes requests to operations, and applies what is common to all of them. What is refused before its body matters is answered
 * at once: nobody can hold a connection with a body that the node does not want.
 */
final class Router extends AllDirectives {
    /** How long the rest of a body may take that the answer did not need, so that the connection can go on. */
    private static final Duration REST_MAX = Duration.ofSeconds(2);

    private final ActorSystem<?> system;
    private final Duration requestTimeout;
    private final Duration retryAfter;
    private final BrowserGuard guard;
    private final Gate gate;
    private final Failures failures;
    private final AnswerWaits waits;
    private final MeterRegistry metrics;
    private final Clock clock;
    private final List<Operation> operations;

    /**
     * Creates a router.
     *
     * @param operations the operations; of several matching paths the first one is used
     * @param guard keeps pages of browsers out
     * @param authenticator tells whose a credential is
     * @param metrics where answers are counted
     */
    Router(
            ActorSystem<?> system,
            HttpSettings settings,
            List<Operation> operations,
            BrowserGuard guard,
            Authenticator authenticator,
            MeterRegistry metrics,
            Clock clock) {
        this.system = system;
        this.requestTimeout = settings.requestTimeout();
        this.retryAfter = settings.retryAfter();
        this.guard = guard;
        this.gate = new Gate(authenticator, settings.retryAfter(), metrics);
        this.failures = new Failures(settings);
        this.waits = new AnswerWaits(settings.paces(), System::nanoTime, metrics);
        this.metrics = metrics;
        this.clock = clock;
        this.operations = withHeads(operations);
    }

    /**
     * HEAD wherever GET is (RFC 9110, section 9.3.2), by the same endpoint: the server sends no content in answer to HEAD.
     * An operation of its own for HEAD comes first.
     */
    private static List<Operation> withHeads(List<Operation> operations) {
        Stream<Operation> heads = operations.stream()
                .filter(operation -> operation.method().equals(HttpMethods.GET))
                .map(get -> new Operation(HttpMethods.HEAD, get.path(), get.needs(), get.endpoint()));
        return Stream.concat(operations.stream(), heads).toList();
    }

    Route route() {
        Route paths = path(PathMatchers.segments(), this::operation);
        Route guarded = extractRequest(request -> guard.refusal(request)
                .or(() -> fullFor(request))
                .<Route>map(this::complete)
                .orElse(paths));
        Route total = guarded.seal(failures.rejections(), failures.exceptions());
        return extractRequest(request -> withRequestTimeoutResponse(
                late -> finished(late, failures.timeout(late)),
                () -> mapResponse(response -> finished(request, inTurn(request, response)), () -> total)));
    }

    private Optional<HttpResponse> fullFor(HttpRequest request) {
        if (!isCrowded(request) || HealthEndpoint.isAskedBy(request)) {
            return Optional.empty();
        }
        return Optional.of(Answers.retryLater(
                ProblemType.NODE_FULL,
                "The node has as many connections as it may: close what you do not use, or try again later.",
                retryAfter));
    }

    /** The operations of a path; each accepts its own method and rejects others. */
    private Route operation(List<String> path) {
        return operations.stream()
                .flatMap(operation -> operation.path().match(path).stream()
                        .map(values -> method(
                                operation.method(),
                                () -> extractRequest(
                                        request -> completeWithFuture(answer(request, operation, values))))))
                .reduce((first, second) -> concat(first, second))
                .orElseGet(this::reject);
    }

    private CompletionStage<HttpResponse> answer(HttpRequest request, Operation operation, Map<String, String> values) {
        Instant deadline = clock.instant().plus(requestTimeout);
        return gate.decide(request, operation)
                .thenCompose(decision -> decision instanceof Gate.Decision.Passed passed
                        ? passed(new Exchange(request, passed.caller(), values, deadline), operation)
                        : CompletableFuture.completedStage(((Gate.Decision.Stopped) decision).answer()));
    }

    private CompletionStage<HttpResponse> passed(Exchange exchange, Operation operation) {
        Optional<Identity> caller = exchange.known();
        if (caller.isPresent() && !hasRoom(exchange.request(), caller.get())) {
            return CompletableFuture.completedStage(waits.toCaller(
                    Answers.retryLater(
                            ProblemType.NODE_FULL,
                            "The node works on as many requests of yours as it may for one caller: try again later.",
                            retryAfter),
                    caller.get()));
        }
        return operation
                .endpoint()
                .answer(exchange)
                .thenApply(answer -> caller.map(known -> waits.toCaller(answer, known))
                        .orElseGet(() -> waits.toEveryone(answer, operation)))
                .thenCompose(answer -> withoutTheRest(exchange, answer));
    }

    /** A caller that goes on after refusals has its bodies discarded no longer: its connection is closed instead. */
    private CompletionStage<HttpResponse> withoutTheRest(Exchange exchange, HttpResponse answer) {
        boolean known = exchange.known().isPresent();
        return known && !AnswerWaits.of(answer).isZero()
                ? CompletableFuture.completedStage(answer)
                : RequestBody.discard(exchange.request(), REST_MAX, system)
                        .thenApply(rest ->
                                known || rest instanceof RequestBody.Received.Whole ? answer : failures.slowBody());
    }

    private static boolean hasRoom(HttpRequest request, Identity caller) {
        return OpenConnections.of(request)
                .map(place -> place.passed(KnownCaller.of(caller)))
                .orElse(true);
    }

    /** Failures are answered apart, also those of callers. */
    private HttpResponse inTurn(HttpRequest request, HttpResponse response) {
        return OpenConnections.of(request)
                        .filter(OpenConnections.Place::isOfCaller)
                        .isPresent()
                ? response
                : waits.toStranger(response);
    }

    private HttpResponse finished(HttpRequest request, HttpResponse response) {
        metrics.counter(
                        "vivarium.http.responses",
                        "method",
                        request.method().name(),
                        "status",
                        Integer.toString(response.status().intValue()))
                .increment();
        HttpResponse standard = StandardHeaders.on(response);
        return isCrowded(request) || !hasArrived(request) ? standard.addHeader(Connection.create("close")) : standard;
    }

    private static boolean isCrowded(HttpRequest request) {
        return OpenConnections.of(request)
                .filter(OpenConnections.Place::isCrowded)
                .isPresent();
    }

    private static boolean hasArrived(HttpRequest request) {
        return OpenConnections.of(request)
                .map(OpenConnections.Place::hasBodyArrived)
                .orElse(true);
    }
}
