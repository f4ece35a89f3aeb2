package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
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

/**
 * A run's output: the raw bytes, or one JSON object per chunk.
 *
 * <p>Following is level-triggered. A follower only knows how far it has read; any signal of progress makes it read on
 * from there until there is nothing more, so no signal can be lost. It holds one read of the store in memory, and reads
 * the next when the client has consumed this one.
 */
final class OutputEndpoint {
    private static final ContentType NDJSON = ContentTypes.parse("application/x-ndjson");
    private static final List<MediaType> OFFERS =
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
        return lookup.answer(
                exchange, state -> answer(exchange.request(), state.submission().id()));
    }

    private CompletionStage<HttpResponse> answer(HttpRequest request, RunId run) {
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
        Optional<HttpResponse> full =
                query.extent() == Extent.UNTIL_THE_RUN_ENDS ? followers.refusal() : Optional.empty();
        if (full.isPresent()) {
            return CompletableFuture.completedStage(full.get());
        }
        CompletionStage<Source<OutputChunk, NotUsed>> chunks = query.extent() == Extent.UNTIL_THE_RUN_ENDS
                ? CompletableFuture.completedStage(followers.counted(followed(run, query.from())))
                : output.end(run).thenApply(end -> stored(run, new AtomicLong(query.from()), end));
        return chunks.thenApply(source -> response(source, query, form.get()));
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

    private Source<OutputChunk, NotUsed> followed(RunId run, long from) {
        AtomicLong position = new AtomicLong(from);
        return runs.progress(run).flatMapConcat(progress -> stored(run, position, Long.MAX_VALUE));
    }

    /** Stored chunks from the position on, at least up to the end; advances the position. */
    private Source<OutputChunk, NotUsed> stored(RunId run, AtomicLong position, long end) {
        return Source.unfoldAsync(position.get(), at -> read(run, at, end))
                .mapConcat(chunks -> chunks)
                .map(chunk -> {
                    position.set(end(chunk));
                    return chunk;
                });
    }

    private CompletionStage<Optional<Pair<Long, List<OutputChunk>>>> read(RunId run, long at, long end) {
        if (at >= end) {
            return CompletableFuture.completedStage(Optional.empty());
        }
        return output.read(run, at, readBytes)
                .thenApply(chunks -> chunks.isEmpty()
                        ? Optional.empty()
                        : Optional.of(Pair.create(end(chunks.get(chunks.size() - 1)), chunks)));
    }

    private static long end(OutputChunk chunk) {
        return chunk.offset() + chunk.data().length();
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
