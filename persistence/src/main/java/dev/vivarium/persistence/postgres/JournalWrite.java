package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.protocol.run.Blob;
import java.util.List;

/**
 * Entries of one journal that are written together or not at all, with what they change in the memory of live runs.
 *
 * @param journal the persistence id
 * @param writer identifies the writer, which writes each number once
 * @param rows the entries, in order and without gaps; at least one
 * @param changes the changes of the memory; at most one of each kind
 */
record JournalWrite(String journal, String writer, List<JournalRow> rows, List<RememberingEntry> changes) {
    /** What an entry of the journal takes in memory beside its payload, roughly. */
    private static final int ROW_BYTES = 256;

    JournalWrite {
        rows = List.copyOf(rows);
        changes = List.copyOf(changes);
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("A write has at least one entry.");
        }
    }

    /**
     * An entry as its row has it.
     *
     * @param timestamp when it was made, in milliseconds since 1970
     * @param manifest the event adapter's
     * @param serializer who wrote the payload, with the form in {@code form}
     */
    record JournalRow(long seq, long timestamp, String manifest, int serializer, String form, Blob payload) {}

    long firstSeq() {
        return rows.get(0).seq();
    }

    long lastSeq() {
        return rows.get(rows.size() - 1).seq();
    }

    /** How much memory it takes while it waits. */
    long bytes() {
        long bytes = 0;
        for (JournalRow row : rows) {
            bytes += row.payload().length() + ROW_BYTES;
        }
        return bytes;
    }
}
