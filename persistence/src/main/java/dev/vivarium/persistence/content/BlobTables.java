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
 * The rows that a store keeps of blobs. A content is pieces under a number of its own; it is an upload's until it is
 * published, and then the blob's. All stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} while the
 * store is away.
 */
public interface BlobTables {
    /**
     * A blob that is there.
     *
     * @param content under which its pieces are
     * @param bytes how long it is
     * @param touchedAt when it was last written
     */
    record Kept(UUID content, long bytes, Instant touchedAt) {}

    /** A content that is not a blob's yet. */
    record Upload(BlobKey key, UUID content) {}

    /** Whether a blob was there to be touched. */
    enum Touch {
        TOUCHED,
        MISSING
    }

    /** Those of the blobs that the tenant has. */
    CompletionStage<Map<Digest, Kept>> find(String tenant, Set<Digest> digests);

    /** Notes that a blob was written again, so that the sweep leaves it alone. */
    CompletionStage<Touch> touch(BlobKey key, Instant at);

    /** Begins an upload; the sweep discards one that is not heard of for long. */
    CompletionStage<Done> begin(Upload upload, Instant at);

    /** Keeps a piece of an upload; fails when the upload was discarded. */
    CompletionStage<Done> append(Upload upload, int number, ByteString piece, Instant at);

    /**
     * Makes an upload the blob, or touches the one that another upload has made in between, and discards this one. Fails
     * when the upload was discarded.
     */
    CompletionStage<Done> publish(Upload upload, long bytes, Instant at);

    /** Deletes an upload and its pieces. */
    CompletionStage<Done> discard(Upload upload);

    /** A piece of a content; empty when it is gone. */
    CompletionStage<Optional<ByteString>> piece(UUID content, int number);

    /** Holds blobs for a run; a blob that is held is not removed from then on. */
    CompletionStage<Hold> hold(String tenant, Set<Digest> digests, RunId run, Instant at);

    /** Ends all holds of a run. */
    CompletionStage<Done> release(RunId run);
}
