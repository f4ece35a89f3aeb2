package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.RunEvent;

/**
 * A journal entry with its event, decoded once.
 *
 * @param stored the entry as stored
 * @param event the decoded event
 */
record DecodedEntry(JournalEntry stored, RunEvent event) {}
