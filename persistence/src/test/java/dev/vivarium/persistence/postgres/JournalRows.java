package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** Writes journal rows as the plugin does, without an actor system and in the test's transaction. */
final class JournalRows {
    private JournalRows() {}

    static void write(Connection connection, RunId run, List<RunEvent> events) throws SQLException {
        Blob head = EventCodec.genesis(run);
        for (int i = 0; i < events.size(); i++) {
            JournalEntry entry = EventCodec.standard().encode(events.get(i), head);
            write(connection, run, i + 1, entry);
            head = entry.hash();
        }
    }

    static void write(Connection connection, RunId run, long seq, JournalEntry entry) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, adapter_manifest,"
                        + " event_ser_id, event_ser_manifest, event_payload) VALUES (?, ?, 'w', 0, '', ?, ?, ?)")) {
            insert.setString(1, RunPersistenceId.of(run).id());
            insert.setLong(2, seq);
            insert.setInt(3, JournalEntrySerializer.IDENTIFIER);
            insert.setString(4, JournalEntryFormat.MANIFEST);
            insert.setBytes(5, JournalEntryFormat.write(entry));
            insert.executeUpdate();
        }
    }
}
