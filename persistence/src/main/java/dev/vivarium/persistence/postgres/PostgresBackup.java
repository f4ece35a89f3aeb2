package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.Backup;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;
import org.postgresql.util.PSQLException;

/**
 * Copies the tables of a PostgreSQL into a file, and back into an empty database. A copy is of one moment (one snapshot of the
 * database), and nodes may write meanwhile; a restore is one transaction, so a database has all of a backup or nothing.
 *
 * <p>All tables are copied but {@code schema_version}, which the restore makes, and {@code cluster_hold}: the cluster that held
 * the store is not the one that goes on with the copy. Transaction ids are those of the server that wrote the rows; {@link
 * SettledEntries} deals with them.
 */
public final class PostgresBackup {
    private static final String NOT_COPIED = "'schema_version', 'cluster_hold'";

    /** Tables that refer to others come after them. No table is both. */
    private static final String TABLES =
            """
            SELECT c.relname FROM pg_class c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT IN (%s)
            ORDER BY EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'), c.relname"""
                    .formatted(NOT_COPIED);

    private static final String COLUMNS =
            """
            SELECT a.attname FROM pg_attribute a
            WHERE a.attrelid = to_regclass(quote_ident(?)) AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = '' ORDER BY a.attnum""";

    private static final String MARK =
            "UPDATE audit_head SET checkpoint = ? || checkpoint WHERE checkpoint <> '' AND NOT starts_with(checkpoint, ?)";

    private static final String SEQUENCES =
            """
            SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                AND NOT a.attisdropped AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL""";

    private PostgresBackup() {}

    /** Whether the store that was backed up went on after the backup. */
    public enum Original {
        /** It may have: its log is not signed again under the same name, since that could sign two histories. */
        WENT_ON,
        /** It did not: the copy's log goes on as that one. */
        STOPPED
    }

    /**
     * Copies the tables into a new file, which its owner alone may read, and which appears when it is whole and on the disk.
     *
     * @throws StoreUnavailable with a sentence for the operator when the file exists, or a copy cannot be made
     */
    public static Backup write(PostgresAddress address, Path file, Clock clock) {
        if (Files.exists(file)) {
            throw new StoreUnavailable(file + " exists: name a file that does not, so that no backup is lost.");
        }
        Path draft = file.resolveSibling(file.getFileName() + DurableFiles.DRAFT);
        try {
            Files.deleteIfExists(draft);
            try {
                Backup backup = copy(address, draft, clock.instant());
                Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
                DurableFiles.syncDirectory(file.toAbsolutePath().resolveSibling("."));
                return backup;
            } finally {
                Files.deleteIfExists(draft);
            }
        } catch (NoSuchFileException missing) {
            throw new StoreUnavailable(
                    "No backup was made: there is no folder for " + missing.getFile() + ".", missing);
        } catch (IOException | SQLException failed) {
            throw new StoreUnavailable("No backup was made: " + failed.getMessage(), failed);
        }
    }

    private static Backup copy(PostgresAddress address, Path draft, Instant now) throws IOException, SQLException {
        try (Connection connection = connect(address);
                FileChannel channel = FileChannel.open(
                        draft,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(DurableFiles.OWNER_ONLY));
                ZipOutputStream zip = new ZipOutputStream(Channels.newOutputStream(channel));
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
            String installation = Schema.require(connection);
            List<BackupFile.Table> tables = new ArrayList<>();
            for (String table : names(statement)) {
                tables.add(copy(connection, table, zip));
            }
            BackupFile.Contents contents = BackupFile.Contents.of(Schema.VERSION, installation, now, tables);
            BackupFile.finish(zip, contents);
            zip.finish();
            channel.force(true);
            return backup(contents);
        }
    }

    private static BackupFile.Table copy(Connection connection, String table, ZipOutputStream zip)
            throws IOException, SQLException {
        List<String> columns = columns(connection, table);
        zip.putNextEntry(new ZipEntry(new BackupFile.Table(table, columns, 0, "").entry()));
        MessageDigest digest = sha256();
        // An entry's end is not the end of the file.
        OutputStream rows = new DigestOutputStream(new Unclosed(zip), digest);
        long count = copies(connection).copyOut("COPY " + target(table, columns) + " TO STDOUT", rows);
        zip.closeEntry();
        return new BackupFile.Table(table, columns, count, HexFormat.of().formatHex(digest.digest()));
    }

    /**
     * Restores a backup into an empty database, whose tables then have this version's schema.
     *
     * @throws StoreUnavailable with a sentence for the operator when the file is damaged, or the database has tables; nothing
     *     is changed then
     */
    public static Backup restore(PostgresAddress address, Path file, Original original) {
        try (BackupFile backup = BackupFile.open(file)) {
            try (Connection connection = connect(address)) {
                connection.setAutoCommit(false);
                restore(connection, backup, file);
                if (original == Original.WENT_ON) {
                    markRestored(connection);
                }
                connection.commit();
            }
            return backup(backup.contents());
        } catch (IOException | SQLException failed) {
            throw new StoreUnavailable("Nothing was restored: " + failed.getMessage(), failed);
        }
    }

    private static void restore(Connection connection, BackupFile backup, Path file) throws IOException, SQLException {
        try (Statement statement = connection.createStatement()) {
            if (Schema.exists(statement)) {
                throw new StoreUnavailable("The database has a store already: restore into an empty one.");
            }
            Schema.make(statement, backup.contents().schema());
            List<String> expected = names(statement);
            List<BackupFile.Table> tables = backup.contents().tables();
            if (!expected.equals(tables.stream().map(BackupFile.Table::name).toList())) {
                throw new StoreUnavailable(file + " is damaged: a store with schema "
                        + backup.contents().schema() + " has the tables " + expected + ".");
            }
            // The schema's scripts write some first rows.
            statement.execute(
                    "TRUNCATE " + expected.stream().map(PostgresBackup::quoted).collect(Collectors.joining(", ")));
            for (BackupFile.Table table : tables) {
                restore(connection, backup, table, file);
            }
            continueSequences(statement);
            Schema.raise(statement, backup.contents().schema());
        }
    }

    private static void markRestored(Connection connection) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(MARK)) {
            update.setString(1, LogHead.RESTORED + "\n");
            update.setString(2, LogHead.RESTORED + "\n");
            update.executeUpdate();
        }
    }

    private static void restore(Connection connection, BackupFile backup, BackupFile.Table table, Path file)
            throws IOException, SQLException {
        if (!columns(connection, table.name()).equals(table.columns())) {
            throw new StoreUnavailable(file + " is damaged: the table " + table.name() + " has other columns.");
        }
        MessageDigest digest = sha256();
        long rows;
        try (InputStream copy = new DigestInputStream(backup.rows(table), digest)) {
            rows = copies(connection).copyIn("COPY " + target(table.name(), table.columns()) + " FROM STDIN", copy);
        } catch (PSQLException refused) {
            throw new StoreUnavailable(
                    file + " is damaged: the rows of " + table.name() + " are refused: " + refused.getMessage(),
                    refused);
        }
        if (rows != table.rows() || !HexFormat.of().formatHex(digest.digest()).equals(table.sha256())) {
            throw new StoreUnavailable(file + " is damaged: the rows of " + table.name()
                    + " are not those that were backed up. Nothing was restored.");
        }
    }

    private static void continueSequences(Statement statement) throws SQLException {
        List<String> moves = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(SEQUENCES)) {
            while (rows.next()) {
                moves.add("SELECT setval('%s', coalesce(max(%s), 1), count(*) > 0) FROM %s"
                        .formatted(rows.getString(3), quoted(rows.getString(2)), quoted(rows.getString(1))));
            }
        }
        for (String move : moves) {
            statement.execute(move);
        }
    }

    private static Backup backup(BackupFile.Contents contents) {
        return new Backup(
                contents.installation(),
                contents.schema(),
                contents.takenAt(),
                contents.rowsOf("event_journal"),
                contents.rows());
    }

    private static CopyManager copies(Connection connection) throws SQLException {
        return new CopyManager(connection.unwrap(BaseConnection.class));
    }

    private static Connection connect(PostgresAddress address) throws SQLException {
        return DriverManager.getConnection(address.url(), address.user(), address.password());
    }

    private static List<String> names(Statement statement) throws SQLException {
        List<String> names = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(TABLES)) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private static List<String> columns(Connection connection, String table) throws SQLException {
        List<String> columns = new ArrayList<>();
        try (PreparedStatement query = connection.prepareStatement(COLUMNS)) {
            query.setString(1, table);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    columns.add(rows.getString(1));
                }
            }
        }
        return columns;
    }

    private static String target(String table, List<String> columns) {
        return quoted(table) + " ("
                + columns.stream().map(PostgresBackup::quoted).collect(Collectors.joining(", ")) + ")";
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java has SHA-256.", impossible);
        }
    }

    /** A stream that passes everything on but its end. */
    private static final class Unclosed extends FilterOutputStream {
        Unclosed(OutputStream to) {
            super(to);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            out.write(bytes, from, count);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
