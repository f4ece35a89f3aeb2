package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.util.Optional;

/**
 * A journal entry with its event, decoded once.
 *
 * @param stored the entry as stored
 * @param event the decoded event
 * @param change what its write changes in the store's memory of live runs; empty for most, and for all that were read
 */
record DecodedEntry(JournalEntry stored, RunEvent event, Optional<RememberingEntry> change) {
    DecodedEntry(JournalEntry stored, RunEvent event) {
        this(stored, event, Optional.empty());
    }

    /** The same, whose write also changes the memory of its run. */
    DecodedEntry changing(String shard, RunId run, RememberingEntry.Change what) {
        return new DecodedEntry(stored, event, Optional.of(new RememberingEntry(stored, shard, run, what)));
    }
}
