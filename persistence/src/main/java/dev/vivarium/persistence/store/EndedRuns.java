package dev.vivarium.persistence.store;

import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Collection;
import java.util.function.BiConsumer;

/**
 * Runs that have ended, and their deletion with their events. All methods block, and fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store is unavailable.
 */
public interface EndedRuns {
    /** Visits each run that has ended, by the list of runs, and was submitted before a time. */
    void forEach(Instant submittedBefore, BiConsumer<Tenant, RunId> visit);

    /**
     * Deletes runs with their events, their places in the order and in lists, what they printed, their files and their
     * idempotency keys: all of it or nothing. The log's hashes and the counts of events stay. For runs of which a checkpoint
     * has an act that says so. Refused while the tenant is under a hold ({@link HoldStore}), as the store has it at this moment.
     *
     * @param tenant the one of all these runs
     */
    Deletion delete(Tenant tenant, Collection<RunId> runs);
}
