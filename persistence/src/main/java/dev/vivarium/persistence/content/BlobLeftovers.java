package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.function.Consumer;

/**
 * What the sweep looks at. All methods block, so they are for a thread of the sweep's own, and fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store is away. What they visit may have changed since it
 * was read.
 */
public interface BlobLeftovers {
    /** Visits the runs that have held a blob since before then. */
    void forEachHolder(Instant heldBefore, Consumer<RunId> visit);

    /** Visits the blobs that nobody has written since then, and no run seems to hold. */
    void forEachIdle(Instant touchedBefore, Consumer<BlobKey> visit);

    /** Visits the uploads that were not heard of since then, and those that were discarded and have pieces left. */
    void forEachStale(Instant heardBefore, Consumer<BlobTables.Upload> visit);

    /** Removes a blob unless a run holds it, or somebody has written it since then. */
    void removeIfIdle(BlobKey key, Instant touchedBefore);
}
