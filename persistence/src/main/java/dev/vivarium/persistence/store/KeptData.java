package dev.vivarium.persistence.store;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What a store keeps of runs after they have ended, beside their events. All methods block, and belong on a thread of the
 * caller's own; they fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} while the store is unavailable.
 */
public interface KeptData {
    /** Kinds of data. */
    enum Kind {
        /** What the run printed. */
        OUTPUT,
        /** The files that were kept of it. */
        ARTIFACTS
    }

    /** What became of a deletion. */
    enum Deletion {
        /** The data is gone. */
        DELETED,
        /** There was none. */
        NOTHING,
        /** The tenant is under a legal hold: whatever there is stays. */
        HELD
    }

    /**
     * Visits each run that was submitted before a time and has data of a kind, or had some when this began; also runs that
     * have not ended, and a run perhaps more than once.
     */
    void forEach(Kind kind, Instant submittedBefore, Consumer<RunId> visit);

    /** Whether there is data of a kind of a run. */
    boolean has(Kind kind, RunId run);

    /**
     * Deletes a run's data of a kind, as a whole: readers find all of it or nothing. For runs that have ended. The contents
     * of artifacts are removed once no other run has them either. Refused while the tenant is under a hold ({@link
     * HoldStore}), as the store has it at this moment.
     *
     * @param tenant the run's
     */
    Deletion delete(Kind kind, Tenant tenant, RunId run);

    /** Whether a run has a content of the tenant, so that {@link #deleteContent} would leave it. */
    boolean isInUse(Tenant tenant, Digest digest);

    /**
     * Deletes a content of a tenant that no run has, without waiting for the grace of blobs. One that a run has stays: as a
     * file of its submission until it has ended, or as a file that was kept of it. A submission that was about to name the
     * content does not find it.
     *
     * @return whether it was there and is gone
     */
    boolean deleteContent(Tenant tenant, Digest digest);

    /**
     * What is kept of a tenant, in bytes of content.
     *
     * @param output what its runs printed that have ended
     * @param blobs contents of files, each once however many runs have it
     */
    record Size(long output, long blobs) {
        /** Nothing. */
        public static final Size NONE = new Size(0, 0);

        public Size plus(Size other) {
            return new Size(output + other.output, blobs + other.blobs);
        }

        /** Both together. */
        public long bytes() {
            return output + blobs;
        }
    }

    /**
     * Measures what is kept of every tenant, by looking at all there is: what is stored or deleted meanwhile counts or does
     * not. A run has ended, and is a tenant's, by the list of runs ({@link RunIndex}), which is some tenths of a second behind.
     *
     * @param goOn checked from time to time
     * @return empty when it was not to go on; without tenants of which nothing is kept
     */
    Optional<Map<Tenant, Size>> sizes(BooleanSupplier goOn);
}
