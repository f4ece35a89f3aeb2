package dev.vivarium.persistence.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditSequencer;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.SeenCheckpoint;
import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.postgres.PostgresBackup.Original;
import dev.vivarium.persistence.secrets.LogKeyFile;
import dev.vivarium.persistence.store.Backup;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Backups of a store that is in use, and stores that are made from them. */
@Timeout(120)
class BackupTest {
    private static final String JOURNAL =
            "(ordering, persistence_id, sequence_number, writer, event_ser_id, event_ser_manifest, event_payload)";
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    private static Path folder;

    private static Path data;
    private static EmbeddedStore store;
    private static Path backup;
    private static Backup made;

    @BeforeAll
    static void aStoreInUseIsBackedUp() throws Exception {
        data = TestPostgres.newDirectory();
        store = EmbeddedStore.open(data);
        submit(store, 1);
        sequence(store, 1, guard("example.org/log"));
        backup = folder.resolve("store.backup");
        made = EmbeddedStore.backup(data, backup, Clock.systemUTC());
    }

    @AfterAll
    static void close() throws IOException {
        store.close();
        TestPostgres.delete(data);
    }

    @Test
    void aRestoredStoreHasAllAndGoesOnWithoutAGap() throws Exception {
        restored(Original.STOPPED, copy -> {
            assertThat(copy.installation()).isEqualTo(store.installation());
            // Transaction ids are the other server's.
            assertThat(contents(copy, JOURNAL, "event_journal")).isEqualTo(contents(store, JOURNAL, "event_journal"));
            assertThat(contents(copy, "audit_event")).isEqualTo(contents(store, "audit_event"));
            submit(copy, 2);
            sequence(copy, 2, guard("example.org/log"));
            await().atMost(PATIENCE).until(() -> contents(copy, "run_view").size() == 2);
            assertThat(signed(copy, "example.org/log").size()).isEqualTo(2);
        });
    }

    @Test
    void aLogThatMayHaveGoneFurtherIsNotSignedUntilAnotherIsDeclared() throws Exception {
        restored(Original.WENT_ON, copy -> {
            submit(copy, 2);
            CheckpointGuard same = guard("example.org/log");

            // then: events have positions, and no second history of the log is signed
            sequence(copy, 2, same);
            await().atMost(PATIENCE).until(() -> same.refusal().isPresent());
            assertThat(same.refusal().orElseThrow()).contains("restored from a backup", "--new NAME");

            // when: the operator declares another log
            sequence(copy, 2, guard("example.org/after-the-fire"));
            assertThat(signed(copy, "example.org/after-the-fire").size()).isEqualTo(2);
        });
    }

    /** Work with a store that was made from the backup. */
    private interface Work {
        void with(EmbeddedStore copy) throws Exception;
    }

    private static void restored(Original original, Work work) throws Exception {
        Path other = TestPostgres.newDirectory();
        try {
            assertThat(EmbeddedStore.restore(other, backup, original)).isEqualTo(made);
            try (EmbeddedStore copy = EmbeddedStore.open(other)) {
                work.with(copy);
            }
        } finally {
            TestPostgres.delete(other);
        }
    }

    @Test
    void aBackupIsReadByItsOwnerOnly() throws Exception {
        assertThat(Files.getPosixFilePermissions(backup)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void anExistingFileIsNotReplaced() throws Exception {
        byte[] before = Files.readAllBytes(backup);

        assertThatThrownBy(() -> EmbeddedStore.backup(data, backup, Clock.systemUTC()))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("exists");

        assertThat(Files.readAllBytes(backup)).isEqualTo(before);
    }

    @Test
    void aStoreIsNotRestoredOver() {
        assertThatThrownBy(() -> PostgresBackup.restore(store.address(), backup, Original.WENT_ON))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("empty");
    }

    /** Each in one new database of the same server, which stays empty. */
    @Test
    void aDamagedFileRestoresNothing() throws Exception {
        byte[] whole = Files.readAllBytes(backup);
        List<Path> damaged = new ArrayList<>();
        for (double share : new double[] {0, 0.1, 0.5, 0.99}) {
            damaged.add(
                    Files.write(folder.resolve("cut-at-" + share), Arrays.copyOf(whole, (int) (share * whole.length))));
        }
        damaged.add(Files.writeString(folder.resolve("text"), "no backup"));
        damaged.add(rezipped(backup, folder.resolve("a-row-less"), "tables/run_view.copy", rows -> ""));
        damaged.add(rezipped(
                backup,
                folder.resolve("a-changed-row"),
                "tables/audit_event.copy",
                rows -> rows.replaceFirst("\\d{4}-\\d\\d-\\d\\d", "1999-01-01")));
        damaged.add(rezipped(
                backup,
                folder.resolve("a-later-schema"),
                "contents.json",
                text -> text.replaceFirst("\"schema\":\\d+", "\"schema\":999")));
        damaged.add(rezipped(
                backup,
                folder.resolve("another-table"),
                "contents.json",
                text -> text.replace("\"name\":\"blob\"", "\"name\":\"pg_authid\"")));
        damaged.add(rezipped(
                backup,
                folder.resolve("another-column"),
                "contents.json",
                text -> text.replace("\"digest\"", "\"digest\\\") FROM PROGRAM 'true'; --\"")));
        execute("CREATE DATABASE empty");
        PostgresAddress empty = new PostgresAddress(
                store.address().url().replace("/postgres?", "/empty?"),
                store.address().user(),
                store.address().password());

        for (Path file : damaged) {
            assertThatThrownBy(() -> PostgresBackup.restore(empty, file, Original.WENT_ON))
                    .as(file.getFileName().toString())
                    .isInstanceOf(StoreUnavailable.class);
        }

        // then: the same database takes the whole one
        assertThat(PostgresBackup.restore(empty, backup, Original.WENT_ON)).isEqualTo(made);
    }

    @Test
    void aDirectoryOfAnotherInstallationIsRefusedAndLeftWithoutAStore() throws Exception {
        Path other = TestPostgres.newDirectory();
        try {
            Files.writeString(other.resolve("installation"), "01k0testtesttesttesttestte");

            assertThatThrownBy(() -> EmbeddedStore.restore(other, backup, Original.WENT_ON))
                    .isInstanceOf(StoreUnavailable.class)
                    .hasMessageContaining("another data directory");

            assertThat(other.resolve("postgres/data")).doesNotExist();
        } finally {
            TestPostgres.delete(other);
        }
    }

    // ---- vocabulary of the tests

    private static void submit(EmbeddedStore store, int number) throws SQLException {
        RunId run = new RunId("01hzzzzzzzzzzzzzzzzzzzzzz" + number);
        try (Connection connection = connect(store)) {
            JournalRows.write(connection, run, List.of(Fixtures.submitted(run)));
        }
    }

    /** Gives events positions until there are so many, and signs what the guard lets it sign. */
    private static void sequence(EmbeddedStore store, long size, CheckpointGuard guard) {
        AuditLog log = store.audit().guarded(guard);
        AuditSequencer sequencer = log.sequence();
        try {
            await().atMost(PATIENCE)
                    .until(() -> log.head().toCompletableFuture().join().size() == size
                            && (guard.refusal().isPresent()
                                    || log.log().toCompletableFuture().join().claimedSize() == size));
        } finally {
            sequencer.close();
        }
    }

    private static Verify.Checkpoint signed(EmbeddedStore store, String name) throws IOException {
        String checkpoint = store.audit()
                .guarded(guard(name))
                .log()
                .toCompletableFuture()
                .join()
                .checkpoint();
        return guard(name).keys().orElseThrow().open(checkpoint);
    }

    /** The guard of a node with this log's key that has seen nothing of it. */
    private static CheckpointGuard guard(String name) throws IOException {
        Path key = folder.resolve(name.replace('/', '-'));
        if (!Files.exists(key)) {
            LogKeyFile.create(key, name);
        }
        return new CheckpointGuard(Optional.of(LogKeyFile.read(key)), SeenCheckpoint.NONE);
    }

    private static List<String> contents(EmbeddedStore store, String table) throws SQLException {
        return contents(store, "t", table);
    }

    private static List<String> contents(EmbeddedStore store, String what, String table) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection connection = connect(store);
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT " + what + "::text FROM " + table + " t ORDER BY 1")) {
            while (rows.next()) {
                found.add(rows.getString(1));
            }
        }
        return found;
    }

    /** The backup with another text of one entry. */
    private static Path rezipped(Path whole, Path file, String entry, UnaryOperator<String> change) throws IOException {
        try (ZipFile from = new ZipFile(whole.toFile());
                ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Enumeration<? extends ZipEntry> all = from.entries(); all.hasMoreElements(); ) {
                ZipEntry one = all.nextElement();
                byte[] bytes = from.getInputStream(one).readAllBytes();
                if (one.getName().equals(entry)) {
                    String text = new String(bytes, UTF_8);
                    assertThat(change.apply(text)).isNotEqualTo(text);
                    bytes = change.apply(text).getBytes(UTF_8);
                }
                to.putNextEntry(new ZipEntry(one.getName()));
                to.write(bytes);
                to.closeEntry();
            }
        }
        return file;
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = connect(store);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static Connection connect(EmbeddedStore store) throws SQLException {
        return DriverManager.getConnection(
                store.address().url(), store.address().user(), store.address().password());
    }
}
