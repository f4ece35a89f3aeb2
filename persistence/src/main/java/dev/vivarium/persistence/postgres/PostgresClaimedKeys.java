package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Keys in a table whose primary key decides which claim was first. */
final class PostgresClaimedKeys implements ClaimedKeys {
    private static final String CLAIM =
            "INSERT INTO claimed_key (key, run_id) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING run_id";
    private static final String OWNER = "SELECT run_id FROM claimed_key WHERE key = ?";

    private final Database database;

    PostgresClaimedKeys(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<RunId> claim(Blob key, RunId candidate) {
        return database.transact("claim an idempotency key", connection -> {
            // A conflict means that the other row is committed, so the next statement sees it.
            Optional<RunId> mine = one(connection, CLAIM, key, Optional.of(candidate));
            return mine.isPresent()
                    ? mine.get()
                    : one(connection, OWNER, key, Optional.empty()).orElseThrow();
        });
    }

    private static Optional<RunId> one(Connection connection, String sql, Blob key, Optional<RunId> candidate)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setBytes(1, key.toByteArray());
            if (candidate.isPresent()) {
                statement.setString(2, candidate.get().value());
            }
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(new RunId(rows.getString(1))) : Optional.empty();
            }
        }
    }
}
