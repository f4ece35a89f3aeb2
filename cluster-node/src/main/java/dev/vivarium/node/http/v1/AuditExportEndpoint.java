package dev.vivarium.node.http.v1;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.ExportPart;
import dev.vivarium.persistence.audit.ExportRange;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.Problem.FieldError;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Exports a range of the order of events, a line each. The store is read a part at a time, when the client has taken the
 * part before. Whatever fails on the way breaks the answer off, so that it lacks its last line.
 */
final class AuditExportEndpoint {
    private static final ContentType NDJSON = ContentTypes.parse("application/x-ndjson");
    private static final List<MediaType> OFFERS = List.of(NDJSON.mediaType());
    private static final ByteString NEWLINE = ByteString.fromString("\n");
    /** How long an export waits for the log to have what the order has; normally some tenths of a second. */
    private static final Duration WAIT_MAX = Duration.ofSeconds(5);

    private final AuditQueries audit;
    private final AuditWatches watches;
    private final Followers followers;
    private final Acts acts;
    private final Duration retryAfter;

    AuditExportEndpoint(AuditQueries audit, AuditWatches watches, Followers followers, Acts acts, Duration retryAfter) {
        this.audit = audit;
        this.watches = watches;
        this.followers = followers;
        this.acts = acts;
        this.retryAfter = retryAfter;
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        if (Acceptable.best(exchange.request(), OFFERS).isEmpty()) {
            return CompletableFuture.completedStage(Acceptable.refusal(OFFERS));
        }
        QueryReader reader = new QueryReader(exchange.request(), AuditFilterReader.with("from", "to"));
        AuditFilter filter = AuditFilterReader.read(reader, exchange.caller());
        long from = reader.number("from", 0, 0, Long.MAX_VALUE);
        Optional<Long> to = reader.has("to")
                ? Optional.of(reader.number("to", Long.MAX_VALUE, 0, Long.MAX_VALUE))
                : Optional.empty();
        to.filter(end -> end < from).ifPresent(end -> reader.refuse("to", "must not be less than from"));
        Requester by = Callers.requester(exchange);
        Followers.Share share = followers.of(exchange.caller());
        return reader.refusal()
                .or(share::refusal)
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> audit.log()
                        .thenCompose(log -> log.checkpoint().isEmpty()
                                ? CompletableFuture.completedStage(AuditLogEndpoint.noCheckpoint())
                                : onceThere(filter, from, to, log, share, by))
                        .exceptionally(this::refused));
    }

    /** The checkpoint is right behind the order, so what has a position is waited for. */
    private CompletionStage<HttpResponse> onceThere(
            AuditFilter filter, long from, Optional<Long> to, LogHead log, Followers.Share share, Requester by) {
        long wanted = to.orElse(from);
        if (log.claimedSize() >= wanted) {
            return stream(new ExportRange(filter, from, to.orElse(log.claimedSize()), log), share, by);
        }
        return audit.head()
                .thenCompose(head -> head.size() < wanted
                        ? CompletableFuture.completedStage(future(to.isPresent() ? "to" : "from", head))
                        : watches.log(now -> now.claimedSize() >= wanted, WAIT_MAX)
                                .thenCompose(there -> there.isPresent()
                                        ? stream(
                                                new ExportRange(
                                                        filter,
                                                        from,
                                                        to.orElse(there.get().claimedSize()),
                                                        there.get()),
                                                share,
                                                by)
                                        : CompletableFuture.completedStage(behind(log, head))));
    }

    private static HttpResponse future(String parameter, AuditHead head) {
        return Answers.problem(
                ProblemType.INVALID_QUERY,
                "The order has " + head.size() + " events so far, at the positions from 0 on.",
                List.of(new FieldError(parameter, "must be at most " + head.size())));
    }

    private HttpResponse behind(LogHead log, AuditHead head) {
        return Answers.retryLater(
                ProblemType.LOG_BEHIND,
                "The log's checkpoint has " + log.claimedSize() + " events, and " + head.size()
                        + " have a position: the export would not be whole.",
                retryAfter);
    }

    /** The first part is read before the answer begins, so that an unavailable store is answered with 503. */
    private CompletionStage<HttpResponse> stream(ExportRange range, Followers.Share share, Requester by) {
        CompletionStage<Done> recorded = acts.record((at, node) -> new Act.LogExported(
                at, node, by.principal(), by.origin(), tenants(range.filter()), range.from(), range.to()));
        return recorded.thenCompose(done -> audit.export(range, range.from())).thenApply(first -> {
            Source<ByteString, NotUsed> lines = share.counted(Source.single(text(first))
                    .concatLazy(
                            first.next().isEmpty()
                                    ? Source.empty()
                                    : rest(range, first.next().getAsLong())));
            return HttpResponse.create().withEntity(HttpEntities.createChunked(NDJSON, lines));
        });
    }

    private static List<String> tenants(AuditFilter filter) {
        return filter.words().containsKey(Field.TENANT)
                ? List.copyOf(filter.words().get(Field.TENANT))
                : List.of();
    }

    private Source<ByteString, NotUsed> rest(ExportRange range, long second) {
        return Source.unfoldAsync(
                Optional.of(second),
                at -> at.isEmpty()
                        ? CompletableFuture.completedStage(Optional.empty())
                        : audit.export(range, at.get())
                                .thenApply(part -> Optional.of(Pair.create(next(part), text(part)))));
    }

    private static Optional<Long> next(ExportPart part) {
        return part.next().isEmpty()
                ? Optional.empty()
                : Optional.of(part.next().getAsLong());
    }

    private static ByteString text(ExportPart part) {
        return part.lines().stream()
                .map(line -> Answers.bytes(line).concat(NEWLINE))
                .reduce(ByteString.emptyByteString(), ByteString::concat);
    }

    private HttpResponse refused(Throwable failed) {
        Throwable cause = StageFailure.cause(failed);
        if (cause instanceof TreeDamaged) {
            return Answers.retryLater(ProblemType.LOG_REFUSED, String.valueOf(cause.getMessage()), retryAfter);
        }
        throw new CompletionException(cause);
    }
}
