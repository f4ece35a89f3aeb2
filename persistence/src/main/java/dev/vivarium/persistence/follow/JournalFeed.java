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
 * A store as a projection sees it: reads new entries in order, and stores the projection's rows. Used by the follower's
 * one thread only, which may block. Operations that fail with {@link dev.vivarium.persistence.journal.StoreUnavailable}
 * are retried.
 */
public interface JournalFeed<R> {
    /**
     * Creates what following needs. If rows of another version are stored, arranges for every run to be read again from
     * its first entry. Idempotent.
     */
    void prepare();

    /** The next changes, in the journal's order as far as the store has one; possibly none. */
    Batch<R> next();

    /** Changes of these runs with their rows, whose entries must be read from the journal; moves no offset. */
    Batch<R> look(Collection<RunId> runs);

    /** The entries of a run from a number on. */
    CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq);

    /** Runs that any node has recorded as unreadable. */
    Set<RunId> unreadable();

    /** Registers a callback for new entries, for feeds that are notified of them; others are polled. */
    default void onNews(Runnable wake) {}

    /** Changes to be written together. */
    interface Batch<R> {
        List<Change<R>> changes();

        /** Whether to read on immediately. */
        Rest rest();

        /**
         * Once this batch is written, the rows include everything that the journal had at that time; empty if unknown.
         */
        Optional<Instant> completeAsOf();

        /**
         * Writes changed rows, unreadable entries and the offset such that a crash in between repeats a step and never
         * skips one.
         *
         * @param readableAgain runs recorded as unreadable that can now be read
         */
        Written write(List<Step<R>> steps, Set<RunId> readableAgain);
    }

    /** What remains after a batch. */
    enum Rest {
        MORE,
        NOTHING_YET
    }

    /** The outcome of writing a batch. */
    enum Written {
        DONE,
        /** Another node took the same step first; nothing was written. */
        OVERTAKEN
    }
}
