package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.RunProof;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TilePath;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;

/** The log of all events, for those who verify it: its checkpoint, its tiles, and proofs. */
final class AuditLogEndpoint {
    private static final List<MediaType> OFFERS = List.of(ContentTypes.TEXT_PLAIN_UTF8.mediaType());
    private static final List<MediaType> TILES = List.of(ContentTypes.APPLICATION_OCTET_STREAM.mediaType());
    /** A log whose oldest event without a position is younger has caught up. */
    private static final Duration CAUGHT_UP = Duration.ofSeconds(1);

    /** How long a proof waits for events that the log does not have yet; normally some tenths of a second. */
    private static final Duration WAIT_MAX = Duration.ofSeconds(5);

    private final AuditQueries audit;
    private final AuditWatches watches;
    private final RunLookup lookup;
    private final Duration retryAfter;
    private final Clock clock;

    AuditLogEndpoint(AuditQueries audit, AuditWatches watches, RunLookup lookup, Duration retryAfter, Clock clock) {
        this.audit = audit;
        this.watches = watches;
        this.lookup = lookup;
        this.retryAfter = retryAfter;
        this.clock = clock;
    }

    /** The last checkpoint, as it was signed. */
    CompletionStage<HttpResponse> checkpoint(Exchange exchange) {
        return text(exchange, () -> audit.log()
                .thenApply(head -> head.checkpoint().isEmpty() ? noCheckpoint() : text(head.checkpoint())));
    }

    /**
     * A run's proof, which waits until the log has all events that the run has. A history that makes no sense any more, as
     * when somebody has removed an event, does not say whose it is: a proof of it is for those who see all tenants.
     */
    CompletionStage<HttpResponse> proof(Exchange exchange) {
        return text(exchange, () -> lookup.answer(
                        exchange,
                        state -> proof(state.submission().id(), clock.instant().plus(WAIT_MAX)))
                .exceptionallyCompose(failed -> StageFailure.cause(failed) instanceof StoreUnavailable
                                || StageFailure.cause(failed) instanceof TreeDamaged
                                || exchange.caller().onlyTenant().isPresent()
                        ? CompletableFuture.failedStage(failed)
                        : RunLookup.id(exchange)
                                .map(run -> proof(run, clock.instant().plus(WAIT_MAX)))
                                .orElseGet(() -> CompletableFuture.failedStage(failed))));
    }

    private CompletionStage<HttpResponse> proof(RunId run, Instant until) {
        return audit.log().thenCompose(before -> audit.proof(run).thenCompose(proof -> {
            if (proof.isEmpty()) {
                return CompletableFuture.completedStage(noCheckpoint());
            }
            if (proof.get().extent() == RunProof.Extent.WHOLE) {
                return CompletableFuture.completedStage(text(proof.get().text()));
            }
            return watches.log(
                            now -> now.claimedSize() > before.claimedSize(), Duration.between(clock.instant(), until))
                    .thenCompose(grown -> grown.isPresent() ? proof(run, until) : inPart(proof.get()));
        }));
    }

    /** A log that has caught up and lacks events of the run says so in the proof; one that is behind proves nothing yet. */
    private CompletionStage<HttpResponse> inPart(RunProof proof) {
        return audit.head()
                .thenCombine(
                        audit.log(),
                        (head, log) -> head.lagMillis() < CAUGHT_UP.toMillis() && log.claimedSize() == head.size()
                                ? text(proof.text())
                                : Answers.retryLater(
                                        ProblemType.LOG_BEHIND,
                                        "The log has " + log.claimedSize() + " events, " + head.size()
                                                + " have a position, and the oldest one without has waited for "
                                                + head.lagMillis() + " ms: the proof would not have the whole run.",
                                        retryAfter));
    }

    private CompletionStage<HttpResponse> text(Exchange exchange, Supplier<CompletionStage<HttpResponse>> answer) {
        return answer(exchange, OFFERS, answer);
    }

    private CompletionStage<HttpResponse> answer(
            Exchange exchange, List<MediaType> offers, Supplier<CompletionStage<HttpResponse>> answer) {
        return answer(exchange, offers, new QueryReader(exchange.request(), Set.of()), answer);
    }

    private CompletionStage<HttpResponse> answer(
            Exchange exchange,
            List<MediaType> offers,
            QueryReader reader,
            Supplier<CompletionStage<HttpResponse>> answer) {
        Optional<HttpResponse> refusal = reader.refusal();
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        if (Acceptable.best(exchange.request(), offers).isEmpty()) {
            return CompletableFuture.completedStage(Acceptable.refusal(offers));
        }
        return answer.get().exceptionally(this::refused);
    }

    private HttpResponse refused(Throwable failed) {
        Throwable cause = StageFailure.cause(failed);
        if (cause instanceof TreeDamaged) {
            return Answers.retryLater(ProblemType.LOG_REFUSED, String.valueOf(cause.getMessage()), retryAfter);
        }
        throw new CompletionException(cause);
    }

    /** A tile of the log's tree, under the path that C2SP tlog-tiles gives it beside the checkpoint. */
    CompletionStage<HttpResponse> tile(Exchange exchange) {
        return answer(exchange, TILES, () -> TilePath.parse(exchange.parameter("path"))
                .map(path -> audit.tile(path)
                        .thenApply(tile -> tile.map(AuditLogEndpoint::tile).orElseGet(AuditLogEndpoint::noTile)))
                .orElseGet(() -> CompletableFuture.completedStage(noTile())));
    }

    private static HttpResponse tile(Blob hashes) {
        return HttpResponse.create()
                .withEntity(HttpEntities.create(ContentTypes.APPLICATION_OCTET_STREAM, hashes.toByteArray()));
    }

    private static HttpResponse noTile() {
        return Answers.problem(
                ProblemType.NO_SUCH_TILE, "The tree of the last checkpoint has no such tile, or none of this width.");
    }

    /** The proof that the log begins with an earlier one. */
    CompletionStage<HttpResponse> consistency(Exchange exchange) {
        QueryReader reader = new QueryReader(exchange.request(), Set.of("from"));
        if (!reader.has("from")) {
            reader.refuse("from", "is needed: how many events the earlier log had");
        }
        long from = reader.number("from", 0, 0, Long.MAX_VALUE);
        return answer(exchange, OFFERS, reader, () -> audit.consistency(from)
                .thenCompose(proof -> proof.isPresent()
                        ? CompletableFuture.completedStage(text(proof.get()))
                        : audit.log().thenApply(head -> head.checkpoint().isEmpty() ? noCheckpoint() : future(head))));
    }

    private static HttpResponse future(LogHead head) {
        return Answers.problem(
                ProblemType.INVALID_QUERY,
                "The last checkpoint has " + head.claimedSize() + " events.",
                List.of(new FieldError("from", "must be at most " + head.claimedSize())));
    }

    private static HttpResponse text(String text) {
        return HttpResponse.create().withEntity(HttpEntities.create(ContentTypes.TEXT_PLAIN_UTF8, text));
    }

    static HttpResponse noCheckpoint() {
        return Answers.problem(
                ProblemType.NO_CHECKPOINT,
                "No node of this cluster has a key for the log: set vivarium.audit.log.key-file on all of them.");
    }
}
