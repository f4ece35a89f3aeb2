package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Legal holds in a table. A deletion locks it in the mode SHARE, which others share and a change of a row does not: so a hold is
 * put after the deletions that did not see it, and before those that do.
 */
final class PostgresHolds implements HoldStore {
    private static final String COLUMNS = "tenant, reason, put_by, put_at";
    private static final String LIST = "SELECT " + COLUMNS + " FROM retention_hold ORDER BY tenant COLLATE \"C\"";
    private static final String PUT = "INSERT INTO retention_hold (" + COLUMNS + ") VALUES (?, ?, ?, ?)"
            + " ON CONFLICT (tenant) DO UPDATE SET reason = excluded.reason, put_by = excluded.put_by,"
            + " put_at = excluded.put_at";
    private static final String REMOVE = "DELETE FROM retention_hold WHERE tenant = ? RETURNING " + COLUMNS;
    private static final String LOCK = "LOCK TABLE retention_hold IN SHARE MODE";
    private static final String FIND = "SELECT 1 FROM retention_hold WHERE tenant = ?";

    private final Database database;

    PostgresHolds(Database database) {
        this.database = database;
    }

    /** Whether a tenant is held; if it is not, it stays so until the end of the transaction. */
    static boolean isHeld(Connection transaction, Tenant tenant) throws SQLException {
        try (Statement lock = transaction.createStatement()) {
            lock.execute(LOCK);
        }
        try (PreparedStatement find = transaction.prepareStatement(FIND)) {
            find.setString(1, tenant.name());
            try (ResultSet row = find.executeQuery()) {
                return row.next();
            }
        }
    }

    @Override
    public CompletionStage<List<LegalHold>> list() {
        return database.query("list the legal holds", connection -> {
            try (PreparedStatement list = connection.prepareStatement(LIST)) {
                return all(list);
            }
        });
    }

    @Override
    public CompletionStage<Done> put(LegalHold hold) {
        return database.atOnce("put a legal hold", connection -> {
            try (PreparedStatement put = connection.prepareStatement(PUT)) {
                put.setString(1, hold.tenant().name());
                put.setString(2, hold.reason().orElse(null));
                put.setString(3, hold.putBy().toString());
                put.setObject(4, PostgresBlobs.time(hold.putAt()));
                put.executeUpdate();
                return Done.getInstance();
            }
        });
    }

    @Override
    public CompletionStage<Optional<LegalHold>> remove(Tenant tenant) {
        return database.atOnce("remove a legal hold", connection -> {
            try (PreparedStatement remove = connection.prepareStatement(REMOVE)) {
                remove.setString(1, tenant.name());
                return all(remove).stream().findFirst();
            }
        });
    }

    private static List<LegalHold> all(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<LegalHold> holds = new ArrayList<>();
            while (rows.next()) {
                holds.add(new LegalHold(
                        new Tenant(rows.getString("tenant")),
                        Optional.ofNullable(rows.getString("reason")),
                        Principal.parse(rows.getString("put_by")),
                        rows.getObject("put_at", OffsetDateTime.class).toInstant()));
            }
            return holds;
        }
    }
}
