package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A server that several nodes share must be prepared by an explicit step, and is refused with a sentence otherwise. */
class SharedPostgresTest {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static final String FIRST = "01k0first00000000000000000";
    private static final String SECOND = "01k0second0000000000000000";
    private static final RunId RUN = new RunId("01k0000000000000000000000a");

    @TempDir
    private Path folder;

    private PostgresSettings settings;

    @BeforeEach
    void anEmptyDatabase() throws SQLException {
        String database = "shared_" + Long.toHexString(System.nanoTime());
        execute(POSTGRES.address().url(), "CREATE DATABASE " + database);
        String url = POSTGRES.address().url().replace("/postgres?", "/" + database + "?");
        settings = on(url, POSTGRES.address().password());
    }

    @Test
    void anUnpreparedDatabaseIsRefusedAndLeftUnchanged() throws SQLException {
        assertThatThrownBy(() -> PostgresStore.openShared(settings))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("no Vivarium schema")
                .hasMessageContaining("vivarium store prepare");
        assertThat(tables()).isZero();
    }

    @Test
    void anOlderSchemaIsRefusedUntilItIsPreparedAndANewerOneIsAlwaysRefused() throws SQLException {
        PostgresStore.prepare(settings, FIRST);
        execute(
                settings.address().url(),
                "DELETE FROM schema_version WHERE version > 1; DROP TABLE installation, claimed_key, remembered_run,"
                        + " cluster_hold, blob_hold, blob, blob_upload, blob_piece,"
                        + " audit_head, audit_event, audit_block, audit_run, audit_count, audit_tile, api_token,"
                        + " tenant_settings, webhook_delivery, webhook_search, named_secret,"
                        + " retention_hold;"
                        + " ALTER TABLE run_output DROP COLUMN process");

        assertThatThrownBy(() -> PostgresStore.openShared(settings))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("has schema 1 and this version needs " + Schema.VERSION);
        assertThat(PostgresStore.prepare(settings, FIRST)).isEqualTo(Schema.VERSION);

        execute(settings.address().url(), "INSERT INTO schema_version (version) VALUES (99)");
        assertThatThrownBy(() -> PostgresStore.openShared(settings))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("has schema 99")
                .hasMessageContaining("newer version");
        assertThatThrownBy(() -> PostgresStore.prepare(settings, FIRST)).hasMessageContaining("has schema 99");
    }

    @Test
    void allNodesBelongToTheInstallationThatWasPreparedFirst() {
        PostgresStore.prepare(settings, FIRST);
        PostgresStore.prepare(settings, SECOND);

        try (PostgresStore one = PostgresStore.openShared(settings);
                PostgresStore other = PostgresStore.openShared(settings)) {
            assertThat(one.installation()).isEqualTo(FIRST);
            assertThat(other.installation()).isEqualTo(FIRST);
        }
    }

    @Test
    void secretsSealedByOneNodeCanBeOpenedByAnotherUntilTheyAreShredded() {
        PostgresStore.prepare(settings, FIRST);
        try (PostgresStore one = PostgresStore.openShared(settings);
                PostgresStore other = PostgresStore.openShared(settings)) {
            // Both concurrently, as when a retry reaches another node than the first attempt.
            var first = one.secrets().seal(RUN, Map.of("TOKEN", "abc")).toCompletableFuture();
            var second = other.secrets().seal(RUN, Map.of("TOKEN", "abc")).toCompletableFuture();

            for (SealedSecrets sealed : new SealedSecrets[] {first.join(), second.join()}) {
                assertThat(one.secrets().open(RUN, sealed).toCompletableFuture().join())
                        .containsEntry("TOKEN", "abc");
                assertThat(other.secrets()
                                .open(RUN, sealed)
                                .toCompletableFuture()
                                .join())
                        .containsEntry("TOKEN", "abc");
            }
            other.secrets().shred(RUN).toCompletableFuture().join();
            assertThatThrownBy(() -> one.secrets()
                            .open(RUN, first.join())
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(CompletionException.class)
                    .hasMessageContaining("destroyed");
        }
    }

    @Test
    void anUnmountedFolderOfKeysIsDistinguishedFromANewOne() throws Exception {
        PostgresStore.prepare(settings, FIRST);
        PostgresSettings elsewhere =
                new PostgresSettings(settings.address(), Files.createDirectory(folder.resolve("empty")), Duration.ZERO);

        assertThatThrownBy(() -> PostgresStore.openShared(elsewhere))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("master.key")
                .hasMessageContaining("mounted");
    }

    @Test
    void aWrongPasswordIsReportedImmediatelyAndAMissingServerAfterTheWait() {
        long started = System.nanoTime();
        assertThatThrownBy(() -> PostgresStore.openShared(
                        on(settings.address().url(), "wrong").waiting(Duration.ofMinutes(5))))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("password authentication failed")
                .hasMessageNotContaining("wrong");
        assertThatThrownBy(() -> PostgresStore.openShared(on("jdbc:postgresql://127.0.0.1:9/none", "any")))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("jdbc:postgresql://127.0.0.1:9/none")
                .hasMessageContaining("refused");
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void missingAndInvalidSettingsAreNamed() throws Exception {
        Path password = Files.writeString(folder.resolve("password"), "s3cret\n");
        String all = "url=\"jdbc:postgresql://db/v\", user=v, keys=\"/keys\", start-wait=1s, authority=\"\","
                + " insecure-store-in-clear-text=off, password-file=\"" + password + '"';

        assertThat(PostgresSettings.from(ConfigFactory.parseString(all))
                        .address()
                        .password())
                .isEqualTo("s3cret");
        assertThatThrownBy(() -> from(all + ", url=\"\"")).hasMessageContaining("vivarium.store.postgres.url is empty");
        assertThatThrownBy(() -> from(all + ", url=\"db:5432\"")).hasMessageContaining("jdbc:postgresql://");
        assertThatThrownBy(() -> from(all + ", password-file=\"/nowhere\""))
                .hasMessageContaining("vivarium.store.postgres.password-file: /nowhere cannot be read");
    }

    private static PostgresSettings from(String config) {
        return PostgresSettings.from(ConfigFactory.parseString(config));
    }

    private PostgresSettings on(String url, String password) {
        return new PostgresSettings(
                new PostgresAddress(url, POSTGRES.address().user(), password), folder.resolve("keys"), Duration.ZERO);
    }

    private long tables() throws SQLException {
        try (Connection connection = connect(settings.address().url());
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery(
                        "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static Connection connect(String url) throws SQLException {
        return DriverManager.getConnection(
                url, POSTGRES.address().user(), POSTGRES.address().password());
    }
}
