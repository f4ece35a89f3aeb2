package dev.vivarium.persistence.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The tables, made and changed by numbered scripts ({@code schema-<n>.sql}) that never change once they are released. A
 * library for three files would be larger than what it saves: a script and its number are one transaction, under a lock
 * that lets one node at a time do it.
 */
final class Schema {
    /** The number of the newest script. */
    static final int VERSION = 1;

    /** Any number that nobody else uses in this database. */
    private static final long LOCK = 0x76697661_7269756dL;

    private Schema() {}

    /**
     * Brings the database to {@link #VERSION}.
     *
     * @throws SQLException also when the database has been used by a newer version of Vivarium
     */
    static void migrate(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
            statement.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL PRIMARY KEY,"
                    + " applied_at timestamptz NOT NULL DEFAULT now())");
            int found = version(statement);
            if (found > VERSION) {
                throw new SQLException("The database has schema " + found + " and this version of Vivarium knows "
                        + VERSION + ": start the newer version that wrote it.");
            }
            for (int next = found + 1; next <= VERSION; next++) {
                statement.execute(script(next));
                statement.execute("INSERT INTO schema_version (version) VALUES (" + next + ")");
            }
            connection.commit();
        } catch (SQLException failed) {
            connection.rollback();
            throw failed;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    private static int version(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT coalesce(max(version), 0) FROM schema_version")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static String script(int version) {
        String name = "schema-" + version + ".sql";
        try (InputStream script = Schema.class.getResourceAsStream(name)) {
            if (script == null) {
                throw new IllegalStateException(name + " is missing from the build.");
            }
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new IllegalStateException(name + " cannot be read.", unreadable);
        }
    }
}
