package dev.vivarium.persistence.content;

import dev.vivarium.persistence.store.BlobStore.Hold;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.util.ByteString;

/**
 * A store's tables for blobs. A content is a series of pieces under an id; it belongs to an upload until it is
 * published, then to the blob. Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} while the
 * store is unavailable.
 */
public interface BlobTables {
    /**
     * A stored blob.
     *
     * @param content the id of its pieces
     * @param bytes its size
     * @param touchedAt when it was last written
     */
    record Kept(UUID content, long bytes, Instant touchedAt) {}

    /** A content that is not a blob yet. */
    record Upload(BlobKey key, UUID content) {}

    /** Whether the touched blob existed. */
    enum Touch {
        TOUCHED,
        MISSING
    }

    /** Those of the blobs that the tenant has. */
    CompletionStage<Map<Digest, Kept>> find(String tenant, Set<Digest> digests);

    /** Records that a blob was written again, which keeps the sweep from deleting it. */
    CompletionStage<Touch> touch(BlobKey key, Instant at);

    /** Begins an upload; the sweep discards it after a long time without progress. */
    CompletionStage<Done> begin(Upload upload, Instant at);

    /** Stores a piece of an upload; fails when the upload was discarded. */
    CompletionStage<Done> append(Upload upload, int number, ByteString piece, Instant at);

    /**
     * Publishes an upload as the blob; if another upload did so first, touches that blob and discards this upload.
     * Fails when the upload was discarded.
     */
    CompletionStage<Done> publish(Upload upload, long bytes, Instant at);

    /** Deletes an upload and its pieces. */
    CompletionStage<Done> discard(Upload upload);

    /** A piece of a content; empty when it was deleted. */
    CompletionStage<Optional<ByteString>> piece(UUID content, int number);

    /** Holds blobs for a holder; held blobs are not deleted from then on. */
    CompletionStage<Hold> hold(String tenant, Set<Digest> digests, BlobHolder holder, Instant at);

    /** Ends all holds of a run. */
    CompletionStage<Done> release(RunId run);
}
