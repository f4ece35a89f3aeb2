package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
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

    private final Database database;
    private final EventCodec codec;

    PostgresJournal(Database database, EventCodec codec) {
        this.database = database;
        this.codec = codec;
    }

    @Override
    public CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq) {
        return database.transact("read the events of run " + run, connection -> recorded(connection, run, fromSeq));
    }

    @Override
    public CompletionStage<RunState> state(RunId run) {
        return database.transact("read the events of run " + run, connection -> fold(recorded(connection, run, 1)));
    }

    /** The entry of a run's submission, as it was written. */
    CompletionStage<Optional<JournalEntry>> first(RunId run) {
        return database.transact("read the submission of run " + run, connection -> entries(connection, run, 1).stream()
                .map(StoredEntry::entry)
                .findFirst());
    }

    /** Checks that a run's events are those that were written. */
    public CompletionStage<ChainCheck.Verdict> check(RunId run) {
        return database.transact(
                "read the events of run " + run, connection -> ChainCheck.check(run, entries(connection, run, 1)));
    }

    List<RecordedEvent> recorded(Connection connection, RunId run, long fromSeq) throws SQLException {
        List<RecordedEvent> events = new ArrayList<>();
        for (StoredEntry stored : entries(connection, run, fromSeq)) {
            JournalEntry entry = stored.entry();
            events.add(new RecordedEvent(run, stored.seq(), codec.decode(entry), entry.previousHash(), entry.hash()));
        }
        return events;
    }

    static RunState fold(List<RecordedEvent> events) {
        RunState state = RunState.initial();
        for (RecordedEvent recorded : events) {
            state = state.after(recorded.event());
        }
        return state;
    }

    private static List<StoredEntry> entries(Connection connection, RunId run, long fromSeq) throws SQLException {
        List<StoredEntry> entries = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(ENTRIES)) {
            query.setString(1, RunPersistenceId.of(run).id());
            query.setLong(2, fromSeq);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    entries.add(new StoredEntry(rows.getLong(1), entry(rows)));
                }
            }
        }
        return entries;
    }

    private static JournalEntry entry(ResultSet row) throws SQLException {
        int serializer = row.getInt(2);
        if (serializer != JournalEntrySerializer.IDENTIFIER) {
            throw new IllegalArgumentException("The journal of a run holds what serializer " + serializer
                    + " wrote, and entries are written by " + JournalEntrySerializer.IDENTIFIER + ".");
        }
        return JournalEntryFormat.read(row.getString(3), row.getBytes(4));
    }
}
