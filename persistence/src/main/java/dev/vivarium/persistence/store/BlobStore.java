package dev.vivarium.persistence.store;

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
 * Keeps contents by their SHA-256 digest, for each tenant apart: what another tenant has is as if it were not there.
 * Contents of any size pass through in pieces. Safe for use by any thread and any number of nodes.
 *
 * <p>A blob that no run holds goes away once nobody has written it for a grace of hours. So a submission writes its blobs
 * first (one that is there already counts as written), then {@link #hold}s them for its run, then makes the run durable.
 * A held blob stays until its run is {@link #release}d or has ended; a hold for a run that never came to life lapses after
 * the same grace.
 *
 * <p>While the store is away, stages and streams fail with {@link dev.vivarium.persistence.journal.StoreUnavailable}; all
 * of them may be repeated.
 */
public interface BlobStore {
    /** No piece of a content that is read is longer; those that are written may have any length. */
    int PIECE_BYTES_MAX = 256 << 10;

    /**
     * Writes a blob. Nothing is to be seen of it before it is whole, durable and has the digest; what is left of one that
     * failed goes away by itself. If the tenant has the blob already, the content is not materialized.
     *
     * @param digest what the content's digest has to be
     * @param bytesMax how long the content may be
     * @param content the content; read no faster than the store takes it
     * @param streams runs the stream
     */
    CompletionStage<Written> write(
            String tenant, Digest digest, long bytesMax, Source<ByteString, ?> content, Materializer streams);

    /** Writes a blob whose content is in memory. */
    CompletionStage<Digest> write(String tenant, Blob content);

    /** The content, in pieces of at most {@link #PIECE_BYTES_MAX}; the stream fails with {@link BlobMissing} when there is none. */
    Source<ByteString, NotUsed> read(String tenant, Digest digest);

    /** The sizes in bytes of those blobs that the tenant has. */
    CompletionStage<Map<Digest, Long>> sizes(String tenant, Set<Digest> digests);

    /**
     * Holds blobs for a run, durably, or says which are missing. Then those that are there may be held all the same, until the run
     * is released or the grace of a run that never came to life has passed.
     */
    CompletionStage<Hold> hold(String tenant, Set<Digest> digests, RunId run);

    /** Ends all holds of a run; one that has none is no error. */
    CompletionStage<Done> release(RunId run);

    /** What became of a blob that was to be written. */
    sealed interface Written {
        /** It is kept. */
        record Stored(long bytes) implements Written {}

        /** The tenant had it already. */
        record PresentBefore(long bytes) implements Written {}

        /** The content has another digest. */
        record Mismatch(Digest actual, long bytes) implements Written {}

        /** The content failed before its end. */
        record CutOff(long bytes, String why) implements Written {}

        /** The content is longer than it may be. */
        record TooLarge(long bytesMax) implements Written {}
    }

    /** What became of a hold. */
    sealed interface Hold {
        /** Every blob stays for as long as the run lives. */
        record Held() implements Hold {}

        /** The tenant does not have these; nothing is held. */
        record Missing(Set<Digest> digests) implements Hold {
            public Missing {
                digests = Set.copyOf(digests);
            }
        }
    }
}
