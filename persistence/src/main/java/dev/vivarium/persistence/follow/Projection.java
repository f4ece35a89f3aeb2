package dev.vivarium.persistence.follow;

import dev.vivarium.protocol.run.RunEvent;
import java.util.Optional;

/**
 * A row for each run derived from its events, and how an event changes it. Pure; {@link JournalFollower} drives it, and
 * the store's {@link JournalFeed} stores the rows.
 *
 * @param <R> what a row holds
 */
public interface Projection<R> {
    /** Identifies the projection in the store, together with {@link #version}. */
    String name();

    /** Raise it when the rows' content changes: all rows are then rebuilt from the journal. */
    int version();

    /**
     * The row after one more event.
     *
     * @param before the row so far; empty before a run's first event
     * @throws RuntimeException when the event cannot follow, with a sentence that says why
     */
    R after(Optional<R> before, RunEvent event);
}
