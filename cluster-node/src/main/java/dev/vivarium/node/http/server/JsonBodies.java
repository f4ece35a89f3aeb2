package dev.vivarium.node.http.server;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Receives submissions, within limits for each body, for all bodies together and for how many are worked on at once, and
 * answers those that it refuses. Bodies are parsed on threads of their own, so that large ones delay nothing else; those
 * waiting for a thread are covered by the limits for all.
 *
 * <p>A submission counts once its body has arrived: slow clients take no place, and a node that has as much to do as it
 * can refuses the next one before it has cost anything.
 */
public final class JsonBodies {
    private static final String DISPATCHER = "vivarium.body-dispatcher";

    private final ActorSystem<?> system;
    private final HttpSettings settings;
    private final BodyBudget budget;
    private final Executor readers;
    private final AtomicInteger underWay = new AtomicInteger();

    public JsonBodies(ActorSystem<?> system, HttpSettings settings) {
        this.system = system;
        this.settings = settings;
        this.budget = new BodyBudget(settings.maxBodiesBytes());
        this.readers = system.dispatchers().lookup(DispatcherSelector.fromConfig(DISPATCHER));
    }

    /** The number of submissions that are worked on. */
    public int underWay() {
        return underWay.get();
    }

    /**
     * Works on a request with its complete body, on one of those threads.
     *
     * @param work what is done with the body; its end frees what the submission takes
     * @param refused converts the problem that is the answer when there is no acceptable body
     */
    public <T> CompletionStage<T> take(
            Exchange exchange, Function<byte[], CompletionStage<T>> work, Function<HttpResponse, T> refused) {
        if (underWay.get() >= settings.maxSubmissions()) {
            return CompletableFuture.completedStage(refused.apply(tooMany()));
        }
        HttpRequest request = exchange.request();
        BodyBudget.Share share = budget.open();
        return RequestBody.receive(request, settings.maxBodyBytes(), settings.bodyTimeout(), share, system)
                .thenCompose(body -> taken(request, body, work, refused))
                .whenComplete((done, failure) -> share.close());
    }

    private <T> CompletionStage<T> taken(
            HttpRequest request,
            RequestBody.Received received,
            Function<byte[], CompletionStage<T>> work,
            Function<HttpResponse, T> refused) {
        if (!(received instanceof RequestBody.Received.Whole whole)) {
            return CompletableFuture.completedStage(refused.apply(notReceived(received)));
        }
        Optional<HttpResponse> unsupported = unsupported(request);
        if (unsupported.isPresent()) {
            return CompletableFuture.completedStage(refused.apply(unsupported.get()));
        }
        if (underWay.incrementAndGet() > settings.maxSubmissions()) {
            underWay.decrementAndGet();
            return CompletableFuture.completedStage(refused.apply(tooMany()));
        }
        return CompletableFuture.supplyAsync(() -> work.apply(whole.bytes().toArray()), readers)
                .thenCompose(done -> done)
                .whenComplete((done, failure) -> underWay.decrementAndGet());
    }

    private HttpResponse tooMany() {
        return Answers.retryLater(
                ProblemType.NODE_FULL,
                "The node works on " + settings.maxSubmissions() + " submissions, the most at once: try again later.",
                settings.retryAfter());
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
                    Answers.problem(ProblemType.UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without compression.")
                            .addHeader(RawHeader.create("Accept-Encoding", "identity")));
        }
        // The charset parameter is ignored: JSON is always UTF-8 (RFC 8259, section 11), which the reader checks.
        return request.entity().getContentType().mediaType().equals(MediaTypes.APPLICATION_JSON)
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.UNSUPPORTED_MEDIA_TYPE,
                        "Send the body with Content-Type: application/json, in UTF-8."));
    }
}
