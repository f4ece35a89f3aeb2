package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Reads the journal by plain SQL rather than through the plugin, so that it can be read without an actor system: before
 * one starts, and by the projection.
 */
public final class PostgresJournal implements RunJournal {
    private static final String ENTRIES =
            """
            SELECT sequence_number, event_ser_id, event_ser_manifest, event_payload FROM event_journal
            WHERE persistence_id = ? AND sequence_number >= ? AND NOT deleted ORDER BY sequence_number""";

    private static final String FIRST = ENTRIES + " LIMIT 1";
    private static final String LAST = ENTRIES + " DESC LIMIT 1";

    private final Database database;
    private final EventCodec codec;

    PostgresJournal(Database database, EventCodec codec) {
        this.database = database;
        this.codec = codec;
    }

    @Override
    public CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq) {
        return entries(run, fromSeq)
                .thenApply(entries ->
                        entries.stream().map(stored -> recorded(run, stored)).toList());
    }

    @Override
    public CompletionStage<Optional<RunEvent>> lastEvent(RunId run) {
        return database.query("read the last event of run " + run, connection -> {
            List<StoredEntry> last = entries(connection, LAST, run, 1);
            return last.isEmpty()
                    ? Optional.empty()
                    : Optional.of(codec.decode(last.get(0).entry()));
        });
    }

    CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq) {
        return database.query(
                "read the events of run " + run, connection -> entries(connection, ENTRIES, run, fromSeq));
    }

    /** The stored entry of a run's submission. */
    CompletionStage<Optional<JournalEntry>> first(RunId run) {
        return database.query(
                "read the submission of run " + run, connection -> entries(connection, FIRST, run, 1).stream()
                        .map(StoredEntry::entry)
                        .findFirst());
    }

    /** Verifies the hash chain of a run's events. */
    public CompletionStage<ChainCheck.Verdict> check(RunId run) {
        return entries(run, 1).thenApply(entries -> ChainCheck.check(run, entries));
    }

    private RecordedEvent recorded(RunId run, StoredEntry stored) {
        JournalEntry entry = stored.entry();
        return new RecordedEvent(run, stored.seq(), codec.decode(entry), entry.previousHash(), entry.hash());
    }

    /** All of a chain's entries that are entries at all. */
    static List<StoredEntry> intact(Connection connection, RunId chain) throws SQLException {
        List<StoredEntry> entries = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(ENTRIES)) {
            query.setString(1, ChainPersistenceId.of(chain).id());
            query.setLong(2, 1);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    long seq = rows.getLong(1);
                    readable(rows).ifPresent(entry -> entries.add(new StoredEntry(seq, entry)));
                }
            }
        }
        return entries;
    }

    private static Optional<JournalEntry> readable(ResultSet row) throws SQLException {
        try {
            return Optional.of(entry(row, 2));
        } catch (IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    private static List<StoredEntry> entries(Connection connection, String sql, RunId run, long fromSeq)
            throws SQLException {
        List<StoredEntry> entries = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setString(1, RunPersistenceId.of(run).id());
            query.setLong(2, fromSeq);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    entries.add(new StoredEntry(rows.getLong(1), entry(rows, 2)));
                }
            }
        }
        return entries;
    }

    /** An entry, with serializer, manifest and payload in the three columns from the given one on. */
    static JournalEntry entry(ResultSet row, int column) throws SQLException {
        int serializer = row.getInt(column);
        if (serializer != JournalEntrySerializer.IDENTIFIER) {
            throw new IllegalArgumentException("The journal of a run holds what serializer " + serializer
                    + " wrote, and entries are written by " + JournalEntrySerializer.IDENTIFIER + ".");
        }
        return JournalEntryFormat.read(row.getString(column + 1), row.getBytes(column + 2));
    }
}
