package dev.vivarium.persistence.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.serialization.Serialization;

/** Reads what a recovering entity has written. */
final class JournalReplay {
    private static final String LAST =
            "SELECT coalesce(max(sequence_number), 0) FROM event_journal WHERE persistence_id = ?";

    private static final String ENTRIES =
            """
            SELECT sequence_number, writer, write_timestamp, adapter_manifest, event_ser_id, event_ser_manifest, event_payload
            FROM event_journal
            WHERE persistence_id = ? AND sequence_number BETWEEN ? AND ? AND NOT deleted
            ORDER BY sequence_number LIMIT ?""";

    private final Database database;
    private final Serialization serialization;

    JournalReplay(Database database, Serialization serialization) {
        this.database = database;
        this.serialization = serialization;
    }

    /** The number of the last entry; 0 when there is none. */
    CompletionStage<Long> last(String journal) {
        return database.query("read the last event of " + journal, connection -> {
            try (PreparedStatement query = connection.prepareStatement(LAST)) {
                query.setString(1, journal);
                try (ResultSet rows = query.executeQuery()) {
                    rows.next();
                    return rows.getLong(1);
                }
            }
        });
    }

    /** Passes the entries on, in order. A run has about a dozen, so all are read at once. */
    CompletionStage<Void> replay(
            String journal, long fromSeq, long toSeq, long max, Consumer<PersistentRepr> callback) {
        return database.query(
                        "read the events of " + journal,
                        connection -> entries(connection, journal, fromSeq, toSeq, max))
                .thenAccept(entries -> entries.forEach(callback));
    }

    private List<PersistentRepr> entries(Connection connection, String journal, long fromSeq, long toSeq, long max)
            throws SQLException {
        List<PersistentRepr> entries = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(ENTRIES)) {
            query.setString(1, journal);
            query.setLong(2, fromSeq);
            query.setLong(3, toSeq);
            query.setLong(4, max);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    entries.add(entry(journal, rows));
                }
            }
        }
        return entries;
    }

    private PersistentRepr entry(String journal, ResultSet row) throws SQLException {
        Object payload = serialization
                .deserialize(row.getBytes(7), row.getInt(5), row.getString(6))
                .get();
        String manifest = row.getString(4);
        return PersistentRepr.apply(
                        payload,
                        row.getLong(1),
                        journal,
                        manifest == null ? "" : manifest,
                        false,
                        ActorRef.noSender(),
                        row.getString(2))
                .withTimestamp(row.getLong(3));
    }
}
