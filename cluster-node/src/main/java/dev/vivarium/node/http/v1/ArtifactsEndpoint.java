package dev.vivarium.node.http.v1;

import dev.vivarium.node.archive.TarWriter;
import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunEvent.ArtifactsKept;
import dev.vivarium.protocol.run.RunState;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * The files that were kept of a run: their list, all of them as a tar, or one. Only what the run's history names is given,
 * and only under the run: a digest alone opens nothing. Whatever a file is, a browser may only store it.
 */
final class ArtifactsEndpoint {
    private static final ContentType TAR = ContentTypes.parse("application/x-tar");
    private static final List<MediaType> LIST_OFFERS =
            List.of(ContentTypes.APPLICATION_JSON.mediaType(), TAR.mediaType());
    private static final List<MediaType> FILE_OFFERS = List.of(ContentTypes.APPLICATION_OCTET_STREAM.mediaType());

    private final RunLookup lookup;
    private final RunJournal journal;
    private final BlobStore blobs;

    ArtifactsEndpoint(RunLookup lookup, RunJournal journal, BlobStore blobs) {
        this.lookup = lookup;
        this.journal = journal;
        this.blobs = blobs;
    }

    CompletionStage<HttpResponse> list(Exchange exchange) {
        return answer(
                exchange,
                LIST_OFFERS,
                (run, kept) -> isTar(exchange)
                        ? unlessDeleted(run, files(kept), () -> tar(run, kept))
                        : CompletableFuture.completedStage(Answers.json(200, view(run, kept))));
    }

    private static boolean isTar(Exchange exchange) {
        return Acceptable.best(exchange.request(), LIST_OFFERS)
                .filter(TAR.mediaType()::equals)
                .isPresent();
    }

    CompletionStage<HttpResponse> file(Exchange exchange) {
        String path = exchange.parameter("path");
        return answer(exchange, FILE_OFFERS, (run, kept) -> files(kept).stream()
                .filter(artifact -> artifact.path().equals(path))
                .findFirst()
                .map(artifact -> unlessDeleted(run, List.of(artifact), () -> content(run, artifact)))
                .orElseGet(() -> CompletableFuture.completedStage(Answers.problem(
                        ProblemType.NO_SUCH_ARTIFACT,
                        "Nothing of this path was kept of the run: the list of its artifacts says what was, and what"
                                + " was left out."))));
    }

    private CompletionStage<HttpResponse> answer(
            Exchange exchange,
            List<MediaType> offers,
            BiFunction<RunState.Existing, Optional<ArtifactsKept>, CompletionStage<HttpResponse>> answer) {
        if (Acceptable.best(exchange.request(), offers).isEmpty()) {
            return CompletableFuture.completedStage(Acceptable.refusal(offers));
        }
        return lookup.answer(exchange, run -> journal.events(run.submission().id(), 1)
                .thenCompose(events -> answer.apply(run, kept(events))));
    }

    /** Looked for before the answer begins, which could only be broken off later. */
    private CompletionStage<HttpResponse> unlessDeleted(
            RunState.Existing run, List<Artifact> files, Supplier<HttpResponse> answer) {
        Set<Digest> digests = files.stream()
                .filter(artifact -> artifact.size() > 0)
                .map(Artifact::digest)
                .collect(Collectors.toSet());
        return blobs.sizes(tenant(run), digests)
                .thenApply(there -> there.keySet().containsAll(digests)
                        ? answer.get()
                        : Answers.problem(
                                ProblemType.DELETED,
                                "The files that were kept of this run were deleted, by retention (vivarium.retention) or"
                                        + " on request; the list still says what they were."));
    }

    /** The last attempt's, of which there is at most one. */
    private static Optional<ArtifactsKept> kept(List<RecordedEvent> events) {
        return events.stream()
                .map(RecordedEvent::event)
                .filter(ArtifactsKept.class::isInstance)
                .map(ArtifactsKept.class::cast)
                .reduce((earlier, later) -> later);
    }

    private static List<Artifact> files(Optional<ArtifactsKept> kept) {
        return kept.map(ArtifactsKept::files).orElse(List.of());
    }

    private static ArtifactList view(RunState.Existing run, Optional<ArtifactsKept> kept) {
        return new ArtifactList(
                run.submission().id(),
                files(kept),
                kept.map(ArtifactsKept::leftOut).orElse(0L),
                kept.map(ArtifactsKept::examples).orElse(List.of()));
    }

    private HttpResponse content(RunState.Existing run, Artifact artifact) {
        String name = artifact.path().substring(artifact.path().lastIndexOf('/') + 1);
        return HttpResponse.create()
                .addHeader(attachment(name))
                .withEntity(
                        artifact.size() == 0
                                ? HttpEntities.create(
                                        ContentTypes.APPLICATION_OCTET_STREAM, ByteString.emptyByteString())
                                : HttpEntities.create(
                                        ContentTypes.APPLICATION_OCTET_STREAM,
                                        artifact.size(),
                                        read(tenant(run), artifact)));
    }

    private HttpResponse tar(RunState.Existing run, Optional<ArtifactsKept> kept) {
        long modified = kept.map(ArtifactsKept::at).map(Instant::getEpochSecond).orElse(0L);
        List<Artifact> files = files(kept);
        long bytes = TarWriter.END.size()
                + files.stream()
                        .mapToLong(file -> TarWriter.bytesOf(file.path(), file.mode(), file.size()))
                        .sum();
        Source<ByteString, NotUsed> content = Source.from(files)
                .flatMapConcat(file -> entry(tenant(run), file, modified))
                .concat(Source.single(TarWriter.END));
        return HttpResponse.create()
                .addHeader(attachment(run.submission().id() + ".tar"))
                .withEntity(HttpEntities.create(TAR, bytes, content));
    }

    private Source<ByteString, NotUsed> entry(Tenant tenant, Artifact file, long modified) {
        Source<ByteString, NotUsed> header =
                Source.single(TarWriter.file(file.path(), file.mode(), file.size(), modified));
        ByteString padding = TarWriter.padding(file.size());
        Source<ByteString, NotUsed> content = file.size() == 0 ? header : header.concat(read(tenant, file));
        return padding.isEmpty() ? content : content.concat(Source.single(padding));
    }

    private Source<ByteString, NotUsed> read(Tenant tenant, Artifact artifact) {
        return blobs.read(tenant, artifact.digest());
    }

    private static Tenant tenant(RunState.Existing run) {
        return run.submission().spec().tenant();
    }

    /** RFC 6266, with the notation of RFC 8187 for names that a header could not carry. */
    private static RawHeader attachment(String name) {
        String encoded = URLEncoder.encode(name, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A");
        return RawHeader.create("Content-Disposition", "attachment; filename*=UTF-8''" + encoded);
    }
}
