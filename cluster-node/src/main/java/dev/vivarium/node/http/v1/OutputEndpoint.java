package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** A run's output: the raw bytes, or one JSON object per chunk; what is there, or all until the run ends. */
final class OutputEndpoint {
    private static final ContentType NDJSON = ContentTypes.parse("application/x-ndjson");
    /** The forms that output has. */
    static final List<MediaType> OFFERS =
            List.of(ContentTypes.APPLICATION_OCTET_STREAM.mediaType(), NDJSON.mediaType());

    private static final Map<String, Stream> STREAMS = Map.of("stdout", Stream.STDOUT, "stderr", Stream.STDERR);
    private static final ByteString NEWLINE = ByteString.fromString("\n");

    private final RunLookup lookup;
    private final Runs runs;
    private final OutputStore output;
    private final Followers followers;
    private final int readBytes;

    OutputEndpoint(RunLookup lookup, Runs runs, OutputStore output, Followers followers, HttpSettings settings) {
        this.lookup = lookup;
        this.runs = runs;
        this.output = output;
        this.followers = followers;
        this.readBytes = settings.readBytes();
    }

    /** The query's parameters. */
    private record Query(Set<Stream> streams, Extent extent, long from) {}

    private enum Extent {
        WHAT_IS_THERE,
        UNTIL_THE_RUN_ENDS
    }

    CompletionStage<HttpResponse> answer(Exchange exchange) {
        return lookup.answer(exchange, state -> answer(exchange.request(), state, followers.of(exchange.caller())));
    }

    /** The output of a run that has been submitted, now or before, from its beginning until it ends. */
    CompletionStage<HttpResponse> followed(RunState.Existing state, MediaType form, Followers.Share share) {
        Query query = new Query(EnumSet.allOf(Stream.class), Extent.UNTIL_THE_RUN_ENDS, 0);
        return unlessDeleted(state, () -> response(followed(state, 0, share), query, form));
    }

    private CompletionStage<HttpResponse> answer(HttpRequest request, RunState.Existing state, Followers.Share share) {
        RunId run = state.submission().id();
        QueryReader reader = new QueryReader(request, Set.of("stream", "follow", "from"));
        Set<Stream> streams = reader.words("stream", STREAMS);
        Query query = new Query(
                streams.isEmpty() ? EnumSet.allOf(Stream.class) : streams,
                reader.word("follow", Map.of("true", Extent.UNTIL_THE_RUN_ENDS, "false", Extent.WHAT_IS_THERE))
                        .orElse(Extent.WHAT_IS_THERE),
                reader.number("from", 0, 0, Long.MAX_VALUE));
        Optional<HttpResponse> refusal = reader.refusal();
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        Optional<MediaType> form = Acceptable.best(request, OFFERS);
        if (form.isEmpty()) {
            return CompletableFuture.completedStage(Acceptable.refusal(OFFERS));
        }
        if (query.extent() == Extent.WHAT_IS_THERE) {
            return output.end(run)
                    .thenCompose(end -> unlessDeleted(
                            state, end, () -> response(stored(run, query.from(), end), query, form.get())));
        }
        return share.refusal()
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() ->
                        unlessDeleted(state, () -> response(followed(state, query.from(), share), query, form.get())));
    }

    private CompletionStage<HttpResponse> unlessDeleted(RunState.Existing state, Supplier<HttpResponse> answer) {
        return state instanceof RunState.Finished
                ? output.end(state.submission().id()).thenCompose(end -> unlessDeleted(state, end, answer))
                : CompletableFuture.completedStage(answer.get());
    }

    private CompletionStage<HttpResponse> unlessDeleted(
            RunState.Existing state, long end, Supplier<HttpResponse> answer) {
        return end == 0 && state instanceof RunState.Finished over
                ? isDeleted(over).thenApply(isDeleted -> isDeleted ? deleted() : answer.get())
                : CompletableFuture.completedStage(answer.get());
    }

    /** The end says how much the last attempt printed; earlier ones may have printed, too. */
    private CompletionStage<Boolean> isDeleted(RunState.Finished over) {
        return over.end().usage().get(Limit.OUTPUT) > 0
                ? CompletableFuture.completedStage(true)
                : output.isDeleted(over.submission().id());
    }

    private static HttpResponse deleted() {
        return Answers.problem(
                ProblemType.DELETED,
                "The output of this run was deleted, by retention (vivarium.retention) or on request; its events say how"
                        + " much it was.");
    }

    private HttpResponse response(Source<OutputChunk, NotUsed> chunks, Query query, MediaType form) {
        Source<OutputChunk, NotUsed> wanted = chunks.filter(
                        chunk -> query.streams().contains(chunk.stream()))
                .map(chunk -> from(chunk, query.from()));
        return HttpResponse.create()
                .withEntity(
                        form.equals(NDJSON.mediaType())
                                ? HttpEntities.createChunked(NDJSON, wanted.map(OutputEndpoint::line))
                                : HttpEntities.createChunked(
                                        ContentTypes.APPLICATION_OCTET_STREAM,
                                        wanted.map(chunk -> ByteString.fromArrayUnsafe(
                                                chunk.data().toByteArray()))));
    }

    /** A run that has ended has all of its output in the store, and its entity is not woken for it. */
    private Source<OutputChunk, NotUsed> followed(RunState.Existing state, long from, Followers.Share share) {
        RunId run = state.submission().id();
        return share.counted(
                state instanceof RunState.Finished
                        ? stored(run, from, Long.MAX_VALUE)
                        : runs.progress(run, Runs.Interest.OUTPUT)
                                .via(new FollowedOutput(offset -> output.read(run, offset, readBytes), from)));
    }

    /** Stored chunks from the offset on, at least up to the end. */
    private Source<OutputChunk, NotUsed> stored(RunId run, long from, long end) {
        return Source.unfoldAsync(from, at -> read(run, at, end)).mapConcat(chunks -> chunks);
    }

    private CompletionStage<Optional<Pair<Long, List<OutputChunk>>>> read(RunId run, long at, long end) {
        if (at >= end) {
            return CompletableFuture.completedStage(Optional.empty());
        }
        return output.read(run, at, readBytes)
                .thenApply(chunks -> chunks.isEmpty()
                        ? Optional.empty()
                        : Optional.of(Pair.create(chunks.get(chunks.size() - 1).end(), chunks)));
    }

    /** The part of a chunk from an offset on; the store returns whole chunks. */
    private static OutputChunk from(OutputChunk chunk, long from) {
        if (chunk.offset() >= from) {
            return chunk;
        }
        byte[] bytes = chunk.data().toByteArray();
        byte[] rest = Arrays.copyOfRange(bytes, Math.toIntExact(from - chunk.offset()), bytes.length);
        return new OutputChunk(chunk.attempt(), chunk.process(), chunk.stream(), from, chunk.at(), Blob.of(rest));
    }

    private static ByteString line(OutputChunk chunk) {
        return Answers.bytes(new OutputChunkView(
                        chunk.stream(), chunk.attempt(), chunk.process(), chunk.offset(), chunk.at(), chunk.data()))
                .concat(NEWLINE);
    }
}
