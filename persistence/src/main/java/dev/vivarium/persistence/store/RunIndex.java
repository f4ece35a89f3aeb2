package dev.vivarium.persistence.store;

import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * Finds runs, from a projection of the journal that follows it within a second.
 */
public interface RunIndex {
    /** One page of the runs that match, newest first. Fails with {@link BadCursor} for a cursor of somebody's own make. */
    CompletionStage<RunPage> find(Query query);

    /**
     * Which runs.
     *
     * @param statuses any of these; all when empty
     * @param labels all of these; {@code tenant} among them
     * @param since submitted at or after
     * @param cursor where the page before ended
     * @param limit runs a page, 1 to 500
     */
    record Query(
            Set<RunStatus> statuses,
            Map<String, String> labels,
            Optional<Instant> since,
            Optional<String> cursor,
            int limit) {}

    /** The cursor is not one that this API gave. */
    final class BadCursor extends RuntimeException {
        public BadCursor() {
            super("The cursor is not one that this API gave: take it from the 'next' field of the page before.");
        }
    }
}
