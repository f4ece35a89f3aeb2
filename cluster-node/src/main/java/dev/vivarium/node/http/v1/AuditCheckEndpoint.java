package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.audit.LogChecks;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.act.Act;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** The cluster's checks of the whole log of events: what the last one has found, and a new one. */
final class AuditCheckEndpoint {
    private final LogChecks checks;
    private final Acts acts;
    private final Duration retryAfter;

    AuditCheckEndpoint(LogChecks checks, Acts acts, Duration retryAfter) {
        this.checks = checks;
        this.acts = acts;
        this.retryAfter = retryAfter;
    }

    CompletionStage<HttpResponse> show(Exchange exchange) {
        return CompletableFuture.completedStage(refusal(exchange).orElseGet(() -> Answers.json(200, checks.known())));
    }

    CompletionStage<HttpResponse> begin(Exchange exchange) {
        Optional<HttpResponse> refusal = refusal(exchange);
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        Requester by = Callers.requester(exchange);
        return acts.record((at, node) -> new Act.LogCheckBegun(at, node, by.principal(), by.origin()))
                .thenCompose(recorded -> checks.begin(by.principal()))
                .thenApply(begun ->
                        begun.underWay().isPresent() ? Answers.json(202, begun) : AuditLogEndpoint.noCheckpoint())
                .exceptionally(this::unanswered);
    }

    private HttpResponse unanswered(Throwable failed) {
        Throwable cause = StageFailure.cause(failed);
        if (cause instanceof TimeoutException) {
            return Answers.retryLater(
                    ProblemType.TIMEOUT, "The node that checks the log does not answer: try again.", retryAfter);
        }
        throw new CompletionException(cause);
    }

    private static Optional<HttpResponse> refusal(Exchange exchange) {
        return new QueryReader(exchange.request(), Set.of()).refusal();
    }
}
