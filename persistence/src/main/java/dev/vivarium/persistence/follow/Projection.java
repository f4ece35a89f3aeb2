package dev.vivarium.persistence.follow;

import dev.vivarium.protocol.run.RunEvent;
import java.util.Optional;

/**
 * What is kept of each run besides its journal: a row, and how an event changes it. Pure; {@link JournalFollower} says
 * when, and the store's {@link JournalFeed} keeps the rows.
 *
 * @param <R> what a row holds
 */
public interface Projection<R> {
    /** Names the projection in the store, together with {@link #version}. */
    String name();

    /** To be raised when rows come to hold something else: all of them are then made again from the journal. */
    int version();

    /**
     * The row after one more event.
     *
     * @param before the row so far; empty before a run's first event
     * @throws RuntimeException when the event cannot follow, with a sentence that says why
     */
    R after(Optional<R> before, RunEvent event);
}
