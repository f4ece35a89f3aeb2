package dev.vivarium.persistence.content;

import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobMissing;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Blobs on a store's tables: contents are split into pieces when written and joined when read. */
public final class StoredBlobs implements BlobStore {
    /** A blob touched more recently is not touched again: many submissions may name the same one. */
    private static final Duration TOUCH_LASTS = Duration.ofMinutes(5);

    private final BlobTables tables;
    private final Clock clock;
    private volatile Observer observer = (tenant, bytes) -> {};

    public StoredBlobs(BlobTables tables, Clock clock) {
        this.tables = tables;
        this.clock = clock;
    }

    /** The content's own stream failed. */
    private static final class SourceFailed extends RuntimeException {
        SourceFailed(Throwable cause) {
            super(String.valueOf(cause.getMessage()), cause, false, false);
        }
    }

    @Override
    public CompletionStage<Written> write(
            Tenant tenant, Digest digest, long bytesMax, Source<ByteString, ?> content, Materializer streams) {
        BlobKey key = new BlobKey(tenant.name(), digest);
        return presentBefore(key)
                .thenCompose(kept -> kept.isPresent()
                        ? CompletableFuture.completedFuture(
                                new Written.PresentBefore(kept.get().bytes()))
                        : upload(key, bytesMax, content, streams));
    }

    /** The blob if it exists, protected from the sweep for a grace period. */
    private CompletionStage<Optional<BlobTables.Kept>> presentBefore(BlobKey key) {
        return tables.find(key.tenant(), Set.of(key.digest())).thenCompose(found -> {
            Optional<BlobTables.Kept> kept = Optional.ofNullable(found.get(key.digest()));
            if (kept.isEmpty() || kept.get().touchedAt().plus(TOUCH_LASTS).isAfter(clock.instant())) {
                return CompletableFuture.completedFuture(kept);
            }
            return tables.touch(key, clock.instant())
                    .thenApply(touch -> touch == BlobTables.Touch.TOUCHED ? kept : Optional.empty());
        });
    }

    private CompletionStage<Written> upload(
            BlobKey key, long bytesMax, Source<ByteString, ?> content, Materializer streams) {
        BlobTables.Upload upload = new BlobTables.Upload(key, UUID.randomUUID());
        Intake intake = new Intake(bytesMax);
        return tables.begin(upload, clock.instant())
                .thenCompose(begun -> receive(upload, intake, content, streams))
                .handle((received, failure) -> failure == null
                        ? conclude(upload, intake)
                        : giveUp(upload, intake, bytesMax, StageFailure.cause(failure)))
                .thenCompose(outcome -> outcome);
    }

    private CompletionStage<Done> receive(
            BlobTables.Upload upload, Intake intake, Source<ByteString, ?> content, Materializer streams) {
        return content.mapError(Throwable.class, SourceFailed::new)
                .statefulMap(
                        () -> intake,
                        (in, more) -> org.apache.pekko.japi.Pair.create(in, in.add(more)),
                        in -> Optional.of(in.end()))
                .mapConcat(pieces -> pieces)
                .zipWithIndex()
                .mapAsync(
                        1,
                        piece -> tables.append(upload, Math.toIntExact(piece.second()), piece.first(), clock.instant()))
                .runWith(Sink.ignore(), streams);
    }

    private CompletionStage<Written> conclude(BlobTables.Upload upload, Intake intake) {
        Digest actual = intake.digest();
        if (!actual.equals(upload.key().digest())) {
            return discarded(upload, new Written.Mismatch(actual, intake.bytes()));
        }
        return publish(upload, intake.bytes()).thenApply(published -> new Written.Stored(intake.bytes()));
    }

    /** Of two uploads of one content at the same time both are observed, though one is discarded. */
    private CompletionStage<Done> publish(BlobTables.Upload upload, long bytes) {
        return tables.publish(upload, bytes, clock.instant()).thenApply(published -> {
            observer.stored(new Tenant(upload.key().tenant()), bytes);
            return published;
        });
    }

    private CompletionStage<Written> giveUp(BlobTables.Upload upload, Intake intake, long bytesMax, Throwable failure) {
        if (failure instanceof Intake.TooLong) {
            return discarded(upload, new Written.TooLarge(bytesMax));
        }
        if (failure instanceof SourceFailed cut) {
            return discarded(upload, new Written.CutOff(intake.bytes(), String.valueOf(cut.getMessage())));
        }
        // The store is unavailable: the sweep deletes the remains.
        return CompletableFuture.failedFuture(
                failure instanceof StoreUnavailable
                        ? failure
                        : new StoreUnavailable("The store cannot keep a blob: " + failure.getMessage(), failure));
    }

    /** If deletion fails, the sweep deletes it later. */
    private CompletionStage<Written> discarded(BlobTables.Upload upload, Written outcome) {
        return tables.discard(upload).handle((done, failure) -> outcome);
    }

    @Override
    public CompletionStage<Digest> write(Tenant tenant, Blob content) {
        BlobKey key = new BlobKey(tenant.name(), Digest.of(content));
        return presentBefore(key)
                .thenCompose(kept -> kept.isPresent() ? CompletableFuture.completedFuture(null) : keep(key, content))
                .thenApply(done -> key.digest());
    }

    private CompletionStage<Done> keep(BlobKey key, Blob content) {
        BlobTables.Upload upload = new BlobTables.Upload(key, UUID.randomUUID());
        Intake intake = new Intake(Long.MAX_VALUE);
        List<ByteString> pieces = new java.util.ArrayList<>(intake.add(ByteString.fromArray(content.toByteArray())));
        pieces.addAll(intake.end());
        CompletionStage<Done> last = tables.begin(upload, clock.instant());
        for (int number = 0; number < pieces.size(); number++) {
            int next = number;
            last = last.thenCompose(done -> tables.append(upload, next, pieces.get(next), clock.instant()));
        }
        return last.thenCompose(done -> publish(upload, content.length()));
    }

    @Override
    public Source<ByteString, NotUsed> read(Tenant tenant, Digest digest) {
        return Source.lazyCompletionStageSource(() -> tables.find(tenant.name(), Set.of(digest))
                        .thenApply(found -> Optional.ofNullable(found.get(digest))
                                .map(kept -> pieces(digest, kept))
                                .orElseGet(() -> Source.failed(new BlobMissing(digest)))))
                .mapMaterializedValue(later -> NotUsed.getInstance());
    }

    private Source<ByteString, NotUsed> pieces(Digest digest, BlobTables.Kept kept) {
        int count = pieceCount(kept.bytes());
        return count == 0
                ? Source.empty()
                : Source.range(0, count - 1).mapAsync(1, number -> tables.piece(kept.content(), number)
                        .thenApply(piece -> piece.orElseThrow(() -> new BlobMissing(digest))));
    }

    /** The number of pieces of a content of that length. */
    public static int pieceCount(long bytes) {
        return Math.toIntExact((bytes + PIECE_BYTES_MAX - 1) / PIECE_BYTES_MAX);
    }

    @Override
    public CompletionStage<Map<Digest, Long>> sizes(Tenant tenant, Set<Digest> digests) {
        return tables.find(tenant.name(), digests).thenApply(found -> {
            Map<Digest, Long> sizes = new HashMap<>();
            found.forEach((digest, kept) -> sizes.put(digest, kept.bytes()));
            return sizes;
        });
    }

    @Override
    public CompletionStage<Hold> hold(Tenant tenant, Set<Digest> digests, RunId run) {
        return digests.isEmpty()
                ? CompletableFuture.completedFuture(new Hold.Held())
                : tables.hold(tenant.name(), Set.copyOf(digests), BlobHolder.living(run), clock.instant());
    }

    @Override
    public CompletionStage<Hold> keep(Tenant tenant, Set<Digest> digests, RunId run) {
        return digests.isEmpty()
                ? CompletableFuture.completedFuture(new Hold.Held())
                : tables.hold(tenant.name(), Set.copyOf(digests), BlobHolder.recorded(run), BlobHolder.FOR_EVER);
    }

    @Override
    public CompletionStage<Done> release(RunId run) {
        return tables.release(run);
    }

    @Override
    public void observe(Observer next) {
        observer = next;
    }
}
