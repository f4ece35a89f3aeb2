package dev.vivarium.persistence.journal;

/**
 * An entry with the number under which the journal keeps it.
 *
 * @param seq its number in the run, from 1
 * @param entry the entry as stored
 */
public record StoredEntry(long seq, JournalEntry entry) {}
