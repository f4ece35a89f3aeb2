package dev.vivarium.node.http.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.Problem;
import dev.vivarium.protocol.api.Problem.FieldError;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;

/** Builds responses. */
public final class Answers {
    private static final ContentType PROBLEM_JSON = ContentTypes.parse("application/problem+json");

    private static final ContentType METRICS = ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8");

    private Answers() {}

    /** Metrics in the text format of Prometheus. */
    public static HttpResponse metrics(String text) {
        return HttpResponse.create().withEntity(HttpEntities.create(METRICS, ByteString.fromString(text)));
    }

    /** A JSON response. */
    public static HttpResponse json(int status, Object body) {
        return HttpResponse.create()
                .withStatus(status)
                .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, bytes(body)));
    }

    /** A problem with a sentence that says what to do. */
    public static HttpResponse problem(ProblemType type, String detail) {
        return problem(type, detail, List.of());
    }

    /** A problem that names fields. */
    public static HttpResponse problem(ProblemType type, String detail, List<FieldError> errors) {
        return problem(type, type.status(), detail, errors);
    }

    /** A problem with another status than its usual one; for refusals by Pekko HTTP with a status of its own. */
    static HttpResponse problem(ProblemType type, int status, String detail, List<FieldError> errors) {
        return answer(new Problem(type.uri(), type.title(), status, detail, errors));
    }

    private static HttpResponse answer(Problem problem) {
        return HttpResponse.create()
                .withStatus(problem.status())
                .withEntity(HttpEntities.create(PROBLEM_JSON, bytes(problem)));
    }

    /** The answer to a tenant that would be over a quota. */
    public static HttpResponse overQuota(QuotaExcess excess, Duration after) {
        ProblemType type = ProblemType.OVER_QUOTA;
        String detail = excess.sentence() + " " + excess.advice();
        Problem problem = new Problem(type.uri(), type.title(), type.status(), detail, List.of(), Optional.of(excess));
        // Rounded up: earlier it would be refused again.
        long seconds = after.plusSeconds(1).minusNanos(1).toSeconds();
        return answer(problem).addHeader(RawHeader.create("Retry-After", Long.toString(seconds)));
    }

    /** A temporary problem, with a Retry-After header. */
    public static HttpResponse retryLater(ProblemType type, String detail, Duration after) {
        return problem(type, detail).addHeader(RawHeader.create("Retry-After", Long.toString(after.toSeconds())));
    }

    /** The answer when it is unknown whether anything was made durable. */
    public static HttpResponse storeUnavailable(Duration retryAfter) {
        return retryLater(
                ProblemType.STORE_UNAVAILABLE,
                "The store does not answer, so nothing is certain; try again, with the same Idempotency-Key.",
                retryAfter);
    }

    /** An API body as JSON bytes. */
    public static ByteString bytes(Object body) {
        try {
            return ByteString.fromArrayUnsafe(ApiJson.mapper().writeValueAsBytes(body));
        } catch (JsonProcessingException defect) {
            throw new IllegalStateException("Bodies of the API can be written as JSON.", defect);
        }
    }
}
