package dev.vivarium.persistence.store;

import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Queries runs, from a projection that follows the journal within a second. */
public interface RunIndex {
    /**
     * One page of the matching runs, newest first. Fails with {@link BadCursor} for a cursor that the API did not
     * issue.
     */
    CompletionStage<RunPage> find(Query query);

    /**
     * A filter and a page.
     *
     * @param statuses runs in any of these; all when empty
     * @param labels runs with all of these, {@code tenant} included
     * @param since submitted at or after
     * @param cursor the end of the previous page
     * @param limit runs per page, 1 to 500
     */
    record Query(
            Set<RunStatus> statuses,
            Map<String, String> labels,
            Optional<Instant> since,
            Optional<String> cursor,
            int limit) {}

    /** The API did not issue this cursor. */
    final class BadCursor extends RuntimeException {
        public BadCursor() {
            super("The cursor was not issued by this API: take it from the 'next' field of the previous page.");
        }
    }
}
