package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.RunEvent;

/**
 * An entry of the journal with the event that was read from it, once.
 *
 * @param stored what the journal keeps
 * @param event what it says
 */
record DecodedEntry(JournalEntry stored, RunEvent event) {}
