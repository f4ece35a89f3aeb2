package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.function.Consumer;

/**
 * What the sweep inspects. All methods block and belong on the sweep's own thread; they fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store is unavailable. Visited items may have changed
 * since they were read.
 */
public interface BlobLeftovers {
    /** Visits runs with holds from before the given time. */
    void forEachHolder(Instant heldBefore, Consumer<RunId> visit);

    /** Visits blobs not written since the given time that seem to have no holds. */
    void forEachIdle(Instant touchedBefore, Consumer<BlobKey> visit);

    /** Visits uploads without progress since the given time, and discarded ones with pieces left. */
    void forEachStale(Instant heardBefore, Consumer<BlobTables.Upload> visit);

    /**
     * Deletes a blob unless a run holds it or it was written since the given time.
     *
     * @return whether it was there and is deleted
     */
    boolean removeIfIdle(BlobKey key, Instant touchedBefore);
}
