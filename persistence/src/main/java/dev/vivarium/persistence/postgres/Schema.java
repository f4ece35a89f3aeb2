package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The tables, created and changed by numbered scripts ({@code schema-<n>.sql}) that never change after their release. A
 * migration library for a few files would be larger than what it saves: a script and its number are one transaction,
 * under a lock that admits one node at a time.
 */
final class Schema {
    /** The newest script's number. */
    static final int VERSION = 14;

    /** Any number that nothing else uses in this database. */
    private static final long LOCK = 0x76697661_7269756dL;

    private static final String VERSIONS =
            "CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL PRIMARY KEY,"
                    + " applied_at timestamptz NOT NULL DEFAULT now())";

    private Schema() {}

    /**
     * Brings the database to {@link #VERSION}.
     *
     * @param installation the installation's name, if it has none yet
     * @throws SQLException also when a newer version of Vivarium has used the database
     */
    static void migrate(Connection connection, String installation) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
            statement.execute(VERSIONS);
            int found = version(statement);
            if (found > VERSION) {
                throw new SQLException(newer(found));
            }
            run(statement, found, VERSION);
            name(connection, installation);
            connection.commit();
        } catch (SQLException failed) {
            connection.rollback();
            throw failed;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    /** Makes the tables of this version in a database that has none, in the caller's transaction. */
    static void make(Statement statement, int version) throws SQLException {
        statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
        statement.execute(VERSIONS);
        run(statement, 0, version);
    }

    /** Brings tables of this version to {@link #VERSION}, in the caller's transaction. */
    static void raise(Statement statement, int found) throws SQLException {
        run(statement, found, VERSION);
    }

    private static void run(Statement statement, int found, int version) throws SQLException {
        for (int next = found + 1; next <= version; next++) {
            statement.execute(script(next));
            statement.execute("INSERT INTO schema_version (version) VALUES (" + next + ")");
        }
    }

    /**
     * Checks that the database has {@link #VERSION}; changes nothing.
     *
     * @return the name of the installation
     * @throws StoreUnavailable with a sentence for the operator when it has another schema, or none
     */
    static String require(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            int found = exists(statement) ? version(statement) : 0;
            if (found > VERSION) {
                throw new StoreUnavailable(newer(found));
            }
            if (found < VERSION) {
                throw new StoreUnavailable("The database has "
                        + (found == 0 ? "no Vivarium schema" : "schema " + found) + " and this version needs "
                        + VERSION + ": create it with `vivarium store prepare` and the same configuration.");
            }
            try (ResultSet rows = statement.executeQuery("SELECT id FROM installation")) {
                if (!rows.next()) {
                    throw new StoreUnavailable("The database has lost the name of its installation: restore the row of"
                            + " the table installation, which identifies this installation's sandboxes.");
                }
                return rows.getString(1);
            }
        }
    }

    private static String newer(int found) {
        return "The database has schema " + found + " and this version of Vivarium knows " + VERSION
                + ": start the newer version that wrote it.";
    }

    /** Whether the database has tables of any version. */
    static boolean exists(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT to_regclass('schema_version') IS NOT NULL")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    private static void name(Connection connection, String installation) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO installation (id) VALUES (?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, installation);
            insert.executeUpdate();
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
