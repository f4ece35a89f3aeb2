package dev.vivarium.persistence.journal;

/**
 * An entry with its sequence number in the journal.
 *
 * @param seq its number in the run, from 1
 * @param entry the entry as stored
 */
public record StoredEntry(long seq, JournalEntry entry) {}
