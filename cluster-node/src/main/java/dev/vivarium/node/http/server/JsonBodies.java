package dev.vivarium.node.http.server;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Receives JSON bodies, within limits for each and for all together, and answers those that it refuses. Bodies are
 * parsed on threads of their own, so that large ones delay nothing else; those waiting for a thread are covered by the
 * limit for all bodies.
 */
public final class JsonBodies {
    private static final String DISPATCHER = "vivarium.body-dispatcher";

    private final ActorSystem<?> system;
    private final HttpSettings settings;
    private final BodyBudget budget;
    private final Executor readers;

    public JsonBodies(ActorSystem<?> system, HttpSettings settings) {
        this.system = system;
        this.settings = settings;
        this.budget = new BodyBudget(settings.maxBodiesBytes());
        this.readers = system.dispatchers().lookup(DispatcherSelector.fromConfig(DISPATCHER));
    }

    /**
     * Answers a request with its complete body, on one of those threads; answers with a problem when the body is not
     * acceptable.
     */
    public CompletionStage<HttpResponse> answer(
            Exchange exchange, Function<byte[], CompletionStage<HttpResponse>> endpoint) {
        HttpRequest request = exchange.request();
        BodyBudget.Share share = budget.open();
        return RequestBody.receive(request.entity(), settings.maxBodyBytes(), settings.bodyTimeout(), share, system)
                .thenCompose(body -> answer(request, body, endpoint))
                .whenComplete((response, failure) -> share.close());
    }

    private CompletionStage<HttpResponse> answer(
            HttpRequest request,
            RequestBody.Received received,
            Function<byte[], CompletionStage<HttpResponse>> endpoint) {
        if (!(received instanceof RequestBody.Received.Whole whole)) {
            return CompletableFuture.completedStage(notReceived(received));
        }
        return unsupported(request)
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> CompletableFuture.supplyAsync(
                                () -> endpoint.apply(whole.bytes().toArray()), readers)
                        .thenCompose(answer -> answer));
    }

    private HttpResponse notReceived(RequestBody.Received received) {
        if (received instanceof RequestBody.Received.TooLarge) {
            return Answers.problem(
                    ProblemType.BODY_TOO_LARGE, "A body may have " + settings.maxBodyBytes() + " bytes at most.");
        }
        if (received instanceof RequestBody.Received.TooSlow) {
            return Answers.problem(
                    ProblemType.BODY_TIMEOUT,
                    "A body must arrive within " + settings.bodyTimeout().toSeconds() + " seconds.");
        }
        if (received instanceof RequestBody.Received.NoRoom) {
            return Answers.retryLater(
                    ProblemType.NODE_FULL,
                    "Too many large bodies in progress: try again later.",
                    settings.retryAfter());
        }
        return Answers.problem(ProblemType.MALFORMED_REQUEST, "The body was cut off.");
    }

    /** Refuses a body with another media type or encoding. */
    private static Optional<HttpResponse> unsupported(HttpRequest request) {
        boolean encoded = request.getHeader("Content-Encoding")
                .map(header -> !header.value().equalsIgnoreCase("identity"))
                .orElse(false);
        if (encoded) {
            return Optional.of(
                    Answers.problem(ProblemType.UNSUPPORTED_MEDIA_TYPE, "Send the run as it is, without compression.")
                            .addHeader(RawHeader.create("Accept-Encoding", "identity")));
        }
        // The charset parameter is ignored: JSON is always UTF-8 (RFC 8259, section 11), which the reader checks.
        return request.entity().getContentType().mediaType().equals(MediaTypes.APPLICATION_JSON)
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.UNSUPPORTED_MEDIA_TYPE,
                        "Send the run with Content-Type: application/json, in UTF-8."));
    }
}
