package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.protocol.api.EventPage;
import dev.vivarium.protocol.api.EventView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * A run's history: a page, or a stream of server-sent events that follows the run to its end. Following is
 * level-triggered, as for output: a signal means that there may be something to read, and the journal has it.
 */
final class EventsEndpoint {
    private static final int MAX_PAGE = 1_000;
    private static final ContentType EVENT_STREAM = ContentTypes.parse("text/event-stream");
    private static final List<MediaType> OFFERS =
            List.of(ContentTypes.APPLICATION_JSON.mediaType(), EVENT_STREAM.mediaType());

    /**
     * A comment, which clients ignore. The first one is sent immediately, so that clients see that they are connected.
     */
    private static final ByteString HEARTBEAT = ByteString.fromString(":\n\n");

    private final RunLookup lookup;
    private final Runs runs;
    private final RunJournal journal;
    private final Followers followers;
    private final Duration heartbeat;

    EventsEndpoint(RunLookup lookup, Runs runs, RunJournal journal, Followers followers, HttpSettings settings) {
        this.lookup = lookup;
        this.runs = runs;
        this.journal = journal;
        this.followers = followers;
        this.heartbeat = settings.heartbeat();
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        return lookup.answer(exchange, state -> answer(exchange.request(), state, followers.of(exchange.caller())));
    }

    private CompletionStage<HttpResponse> answer(HttpRequest request, RunState.Existing state, Followers.Share share) {
        QueryReader reader = new QueryReader(request, Set.of("from", "limit"));
        long from = reader.number("from", 1, 1, Long.MAX_VALUE);
        int limit = (int) reader.number("limit", MAX_PAGE, 1, MAX_PAGE);
        Optional<HttpResponse> refusal = reader.refusal();
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        RunId run = state.submission().id();
        return Acceptable.best(request, OFFERS)
                .map(form -> form.equals(EVENT_STREAM.mediaType())
                        ? stream(request, state, from, share)
                        : journal.events(run, from).thenApply(events -> Answers.json(200, page(events, limit))))
                .orElseGet(() -> CompletableFuture.completedStage(Acceptable.refusal(OFFERS)));
    }

    private static EventPage page(List<RecordedEvent> events, int limit) {
        return new EventPage(
                events.stream().limit(limit).map(EventsEndpoint::view).toList(),
                events.size() > limit ? Optional.of(events.get(limit).seq()) : Optional.empty());
    }

    private CompletionStage<HttpResponse> stream(
            HttpRequest request, RunState.Existing state, long from, Followers.Share share) {
        Optional<HttpResponse> full = share.refusal();
        if (full.isPresent()) {
            return CompletableFuture.completedStage(full.get());
        }
        Optional<String> lastSeen = request.getHeader("Last-Event-ID").map(HttpHeader::value);
        if (lastSeen.isPresent() && !lastSeen.get().matches("\\d{1,18}")) {
            return CompletableFuture.completedStage(Answers.problem(
                    ProblemType.INVALID_HEADER, "Last-Event-ID must be the id of an event of this stream."));
        }
        RunId run = state.submission().id();
        long next = lastSeen.map(seq -> Long.parseLong(seq) + 1).orElse(from);
        if (state instanceof RunState.Finished && lastSeen.isPresent()) {
            // A browser's EventSource reconnects after the end of a stream, until it gets 204.
            return journal.events(run, next)
                    .thenApply(rest ->
                            rest.isEmpty() ? HttpResponse.create().withStatus(204) : stream(state, next, share));
        }
        return CompletableFuture.completedStage(stream(state, next, share));
    }

    private HttpResponse stream(RunState.Existing state, long from, Followers.Share share) {
        Source<ByteString, NotUsed> events = share.counted(followed(state, from))
                .map(EventsEndpoint::serverSentEvent)
                .keepAlive(heartbeat, () -> HEARTBEAT);
        return HttpResponse.create()
                .withEntity(HttpEntities.createChunked(
                        EVENT_STREAM, Source.single(HEARTBEAT).concatLazy(events)));
    }

    /** A run that has ended has all of its events in the journal, and its entity is not woken for them. */
    private Source<RecordedEvent, NotUsed> followed(RunState.Existing state, long from) {
        RunId run = state.submission().id();
        if (state instanceof RunState.Finished) {
            return Source.completionStage(journal.events(run, from)).mapConcat(events -> events);
        }
        AtomicLong next = new AtomicLong(from);
        return runs.progress(run, Runs.Interest.EVENTS)
                .mapAsync(1, progress -> journal.events(run, next.get()).thenApply(events -> {
                    events.forEach(event -> next.set(event.seq() + 1));
                    return events;
                }))
                .mapConcat(events -> events);
    }

    private static ByteString serverSentEvent(RecordedEvent event) {
        EventView view = view(event);
        return ByteString.fromString("id: " + view.seq() + "\nevent: " + view.type() + "\ndata: ")
                .concat(Answers.bytes(view))
                .concat(ByteString.fromString("\n\n"));
    }

    private static EventView view(RecordedEvent event) {
        return EventView.of(
                event.run(),
                event.seq(),
                event.event(),
                event.previousHash().toHex(),
                event.hash().toHex());
    }
}
