package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.RunId;

/**
 * An entry whose write also changes whether the store remembers its run, both or neither. Only for journals that say so
 * ({@code RememberedRuns.Changes.WITH_EVENTS}). What is stored, and read again, is the entry alone.
 *
 * @param shard the shard under which the run is remembered
 */
public record RememberingEntry(JournalEntry entry, String shard, RunId run, Change change) {
    /** What becomes of the memory of the run. */
    public enum Change {
        /** With its first entry. */
        REMEMBER,
        /** With its last one. */
        FORGET
    }
}
