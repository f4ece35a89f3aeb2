package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.StoreOwnership;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.CompletionStage;

/** A table of one row, created with the schema. */
final class PostgresStoreOwnership implements StoreOwnership {
    private static final String CURRENT = "SELECT holder, beat FROM cluster_hold";
    private static final String CHANGE = "UPDATE cluster_hold SET holder = ?, beat = ? WHERE holder = ? AND beat = ?";

    private final Database database;

    PostgresStoreOwnership(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Hold> current() {
        return database.transact("read which cluster owns it", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(CURRENT);
                    ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException("The row that records which cluster owns the store is missing.");
                }
                return new Hold(rows.getString(1), rows.getLong(2));
            }
        });
    }

    @Override
    public CompletionStage<Change> change(Hold seen, Hold next) {
        return database.transact("record which cluster owns it", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(CHANGE)) {
                statement.setString(1, next.holder());
                statement.setLong(2, next.beat());
                statement.setString(3, seen.holder());
                statement.setLong(4, seen.beat());
                return statement.executeUpdate() == 1 ? Change.MADE : Change.OVERTAKEN;
            }
        });
    }
}
