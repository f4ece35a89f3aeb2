package dev.vivarium.node.http.server;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Allow;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.ExceptionHandler;
import org.apache.pekko.http.javadsl.server.MethodRejection;
import org.apache.pekko.http.javadsl.server.Rejection;
import org.apache.pekko.http.javadsl.server.RejectionHandler;
import org.apache.pekko.http.javadsl.server.directives.RouteDirectives;
import org.apache.pekko.http.scaladsl.model.IllegalUriException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Converts every failure into a problem response, wherever it was detected. */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    private static final RouteDirectives DIRECTIVES = new AllDirectives() {};

    private final Duration retryAfter;

    Failures(HttpSettings settings) {
        this.retryAfter = settings.retryAfter();
    }

    /** Failures of routes. */
    ExceptionHandler exceptions() {
        return ExceptionHandler.newBuilder()
                .matchAny(failure -> DIRECTIVES.complete(answer(failure)))
                .build();
    }

    /**
     * Requests that no route accepts. Pekko HTTP's default handler discards the body by itself, for as long as it takes.
     */
    RejectionHandler rejections() {
        return RejectionHandler.newBuilder()
                .handleNotFound(DIRECTIVES.complete(refusal(404)))
                .handleAll(
                        MethodRejection.class,
                        rejections -> DIRECTIVES.complete(refusal(405)
                                .addHeader(Allow.create(rejections.stream()
                                        .map(MethodRejection::supported)
                                        .distinct()
                                        .toArray(HttpMethod[]::new)))))
                .handle(Rejection.class, rejection -> DIRECTIVES.complete(refusal(400)))
                .build();
    }

    /** A body that nobody needs and that does not end. */
    HttpResponse slowBody() {
        return refusal(408);
    }

    HttpResponse timeout(HttpRequest request) {
        LOG.warn(
                "No answer in time to {} {}",
                request.method().name(),
                request.getUri().path());
        return Answers.retryLater(
                ProblemType.TIMEOUT,
                "The node did not answer in time; the operation may or may not have been done. Try again.",
                retryAfter);
    }

    private HttpResponse answer(Throwable failure) {
        Throwable cause = unwrapped(failure);
        if (cause instanceof StoreUnavailable) {
            LOG.warn("The store is unavailable: {}", cause.getMessage());
            return Answers.storeUnavailable(retryAfter);
        }
        if (cause instanceof IllegalUriException) {
            return Answers.problem(ProblemType.MALFORMED_REQUEST, "The query holds a malformed escape.");
        }
        String incident = UlidCreator.getUlid().toLowerCase();
        LOG.error("Incident {}", incident, cause);
        return Answers.problem(
                ProblemType.INTERNAL,
                "This is a bug in the node. Its log has details under incident " + incident + ".");
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** The problem for a status that Pekko HTTP chose. */
    static HttpResponse refusal(int status) {
        return switch (status) {
            case 404 -> Answers.problem(ProblemType.NO_SUCH_RESOURCE, "See /openapi.yaml for what is here.");
            case 405 -> Answers.problem(ProblemType.METHOD_NOT_ALLOWED, "The Allow header names the methods that are.");
            case 408 -> Answers.problem(ProblemType.BODY_TIMEOUT, "Send the body faster.");
            case 413 -> Answers.problem(ProblemType.BODY_TOO_LARGE, "Send a smaller body.");
            case 415 -> Answers.problem(ProblemType.UNSUPPORTED_MEDIA_TYPE, "Send application/json.");
            default -> Answers.problem(
                    ProblemType.MALFORMED_REQUEST,
                    status,
                    String.format(Locale.ROOT, "The request cannot be read as HTTP (status %d).", status),
                    List.of());
        };
    }
}
