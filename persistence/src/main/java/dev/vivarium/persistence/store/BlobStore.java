package dev.vivarium.persistence.store;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * A content-addressed store: blobs by SHA-256 digest, separately for each tenant; another tenant's blobs are invisible.
 * Contents of any size are streamed in pieces. Thread-safe, and shared by any number of nodes.
 *
 * <p>A blob that no run holds is deleted once it has not been written for a grace period of hours. A submission
 * therefore writes its blobs (one that exists counts as written), then {@link #hold}s them for its run, then makes the
 * run durable. A held blob stays until its run is {@link #release}d or has ended; a hold for a run that was never
 * created lapses after the same grace period.
 *
 * <p>While the store is unavailable, stages and streams fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable}; every operation can be repeated.
 */
public interface BlobStore {
    /** The longest piece of a read; pieces of a write may have any length. */
    int PIECE_BYTES_MAX = 256 << 10;

    /**
     * Writes a blob. It becomes visible only when it is complete, durable and its digest matches; the remains of a
     * failed write are swept. If the tenant already has the blob, the content is not consumed.
     *
     * @param digest the expected digest
     * @param bytesMax the largest allowed content
     * @param content the content, read with back pressure
     * @param streams runs the stream
     */
    CompletionStage<Written> write(
            Tenant tenant, Digest digest, long bytesMax, Source<ByteString, ?> content, Materializer streams);

    /** Writes a blob from memory. */
    CompletionStage<Digest> write(Tenant tenant, Blob content);

    /** The content, in pieces of at most {@link #PIECE_BYTES_MAX}; the stream fails with {@link BlobMissing} when there is none. */
    Source<ByteString, NotUsed> read(Tenant tenant, Digest digest);

    /** The sizes in bytes of those of the blobs that the tenant has. */
    CompletionStage<Map<Digest, Long>> sizes(Tenant tenant, Set<Digest> digests);

    /**
     * Durably holds blobs for a run, or returns the missing ones. In that case the others may be held all the same,
     * until the run is released or the grace period has passed.
     */
    CompletionStage<Hold> hold(Tenant tenant, Set<Digest> digests, RunId run);

    /**
     * Durably keeps blobs for as long as the run itself is kept, which its {@link #release} does not end; or returns the
     * missing ones, as {@link #hold} does.
     */
    CompletionStage<Hold> keep(Tenant tenant, Set<Digest> digests, RunId run);

    /** Ends all holds of a run. Idempotent; a run without holds is no error. */
    CompletionStage<Done> release(RunId run);

    /** Tells from now on of each blob that is stored through this object, after it is; in place of an earlier observer. */
    void observe(Observer observer);

    /** Told of blobs that the store did not have before. */
    interface Observer {
        /** A blob is stored. Called on the store's threads; returns at once. */
        void stored(Tenant tenant, long bytes);
    }

    /** The outcome of a write. */
    sealed interface Written {
        /** The blob is stored. */
        record Stored(long bytes) implements Written {}

        /** The tenant already had it. */
        record PresentBefore(long bytes) implements Written {}

        /** The content has a different digest. */
        record Mismatch(Digest actual, long bytes) implements Written {}

        /** The content failed before its end. */
        record CutOff(long bytes, String why) implements Written {}

        /** The content is larger than allowed. */
        record TooLarge(long bytesMax) implements Written {}
    }

    /** The outcome of a hold. */
    sealed interface Hold {
        /** Every blob stays while the run lives. */
        record Held() implements Hold {}

        /** The tenant does not have these blobs; the run must not rely on the hold. */
        record Missing(Set<Digest> digests) implements Hold {
            public Missing {
                digests = Set.copyOf(digests);
            }
        }
    }
}
