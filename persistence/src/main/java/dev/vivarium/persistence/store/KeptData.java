package dev.vivarium.persistence.store;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
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

    /**
     * Deletes a run's data of a kind, as a whole: readers find all of it or nothing. For runs that have ended. The contents
     * of artifacts are removed once no other run has them either. Refused while the tenant is under a hold ({@link
     * HoldStore}), as the store has it at this moment.
     *
     * @param tenant the run's
     */
    Deletion delete(Kind kind, Tenant tenant, RunId run);
}
