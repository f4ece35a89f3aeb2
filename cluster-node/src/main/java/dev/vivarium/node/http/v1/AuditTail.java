package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.Stretch;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.Problem.FieldError;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Follows the events of all runs as server-sent events, whose ids are positions: so any node goes on where another one
 * has stopped. A reader keeps a position and nothing else. What it has not taken yet is read from the store when it does;
 * while it has everything, it waits with all the others for the order to go on.
 */
final class AuditTail {
    static final ContentType EVENT_STREAM = ContentTypes.parse("text/event-stream");

    /** Events that are in memory for one reader. */
    private static final int EVENTS_MAX = 100;

    private final AuditQueries audit;
    private final AuditWatches watches;
    private final Followers followers;
    private final Duration heartbeat;

    AuditTail(AuditQueries audit, AuditWatches watches, Followers followers, HttpSettings settings) {
        this.audit = audit;
        this.watches = watches;
        this.followers = followers;
        this.heartbeat = settings.heartbeat();
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        QueryReader reader = new QueryReader(exchange.request(), AuditFilterReader.with("from"));
        AuditFilter filter = AuditFilterReader.read(reader, exchange.caller());
        Optional<Long> from =
                reader.has("from") ? Optional.of(reader.number("from", 0, 0, Long.MAX_VALUE)) : Optional.empty();
        Optional<String> lastSeen =
                exchange.request().getHeader("Last-Event-ID").map(HttpHeader::value);
        Followers.Share share = followers.of(exchange.caller());
        return reader.refusal()
                .or(share::refusal)
                .or(() -> lastSeen.filter(id -> !id.matches("-1|\\d{1,18}"))
                        .map(id -> badHeader("Last-Event-ID must be the id of an event of this stream, a position.")))
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> audit.head()
                        .thenApply(
                                head -> stream(filter, from, lastSeen.map(id -> Long.parseLong(id) + 1), head, share)));
    }

    /** What a client has seen goes before where it wanted to begin; without either, it begins with what comes next. */
    private HttpResponse stream(
            AuditFilter filter, Optional<Long> from, Optional<Long> after, AuditHead head, Followers.Share share) {
        long start = after.or(() -> from).orElse(head.size());
        if (start > head.size()) {
            String sentence = "The order has " + head.size() + " events so far, at the positions from 0 on.";
            return after.isPresent()
                    ? badHeader(sentence + " Last-Event-ID names one that is not there.")
                    : Answers.problem(
                            ProblemType.INVALID_QUERY,
                            sentence,
                            List.of(new FieldError("from", "must be at most " + head.size())));
        }
        Source<ByteString, NotUsed> events = share.counted(Source.unfoldAsync(start, at -> next(filter, at)));
        return HttpResponse.create()
                .withEntity(HttpEntities.createChunked(
                        EVENT_STREAM, Source.single(upTo(start)).concatLazy(events)));
    }

    private static HttpResponse badHeader(String sentence) {
        return Answers.problem(ProblemType.INVALID_HEADER, sentence);
    }

    private CompletionStage<Optional<Pair<Long, ByteString>>> next(AuditFilter filter, long at) {
        return audit.read(filter, new Window(at, Long.MAX_VALUE), EVENTS_MAX).thenCompose(stretch -> {
            long next = stretch.next();
            if (!stretch.entries().isEmpty() || next < stretch.head().size()) {
                return CompletableFuture.completedStage(Optional.of(Pair.create(next, text(stretch))));
            }
            return watches.order(head -> head.size() > next, heartbeat)
                    .thenApply(there -> Optional.of(
                            Pair.create(next, there.isPresent() ? ByteString.emptyByteString() : upTo(next))));
        });
    }

    private static ByteString text(Stretch stretch) {
        return stretch.entries().stream()
                .map(AuditTail::serverSentEvent)
                .reduce(ByteString::concat)
                .orElseGet(() -> upTo(stretch.next()));
    }

    private static ByteString serverSentEvent(AuditEntry entry) {
        // A newer node's type is a text of the store: it must not end the line.
        String type = entry.type().replaceAll("[\\r\\n]", " ");
        return ByteString.fromString("id: " + entry.position() + "\nevent: " + type + "\ndata: ")
                .concat(Answers.bytes(entry.view()))
                .concat(ByteString.fromString("\n\n"));
    }

    /**
     * No event, but an id, so that the client goes on from there and nothing is looked through again. It also shows the
     * client that it is connected.
     */
    private static ByteString upTo(long next) {
        return ByteString.fromString("id: " + (next - 1) + "\n:\n\n");
    }
}
