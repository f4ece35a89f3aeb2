package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * A store, as a projection sees it: how new entries are read in order, and where the projection's rows are kept. Used by
 * the follower's one thread, which may block. What fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} is tried again.
 */
public interface JournalFeed<R> {
    /**
     * Makes what following needs. Where rows of another version are kept, sees to it that all runs come again, from their
     * first entries. May be repeated.
     */
    void prepare();

    /** The next changes, in the order of the journal as far as the store has one; perhaps none. */
    Batch<R> next();

    /** Changes of these runs that only the journal knows, with the rows that they have; moves no offset. */
    Batch<R> look(Collection<RunId> runs);

    /** The entries of a run from a number on. */
    CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq);

    /** The runs on record as unreadable, by whichever node. */
    Set<RunId> unreadable();

    /** What to call when there is something new, for a feed that knows; others are asked from time to time. */
    default void onNews(Runnable wake) {}

    /** Changes that are written together. */
    interface Batch<R> {
        List<Change<R>> changes();

        /** Whether to go on reading at once. */
        Rest rest();

        /** When this batch is written, the rows know everything that the journal had at that time; empty if unknown. */
        Optional<Instant> completeAsOf();

        /**
         * Writes the rows that have changed, the entries that are unreadable, and how far the journal has been followed,
         * so that a crash in between repeats a step and skips none.
         *
         * @param readableAgain runs on record as unreadable that are not any more
         */
        Written write(List<Step<R>> steps, Set<RunId> readableAgain);
    }

    /** What is left after a batch. */
    enum Rest {
        MORE,
        NOTHING_YET
    }

    /** What became of a batch. */
    enum Written {
        DONE,
        /** Another node has taken the same step: nothing of this one was written. */
        OVERTAKEN
    }
}
