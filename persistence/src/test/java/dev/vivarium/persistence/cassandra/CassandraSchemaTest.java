package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.CqlSession;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster must be prepared by an explicit step, and is refused with a sentence otherwise. */
class CassandraSchemaTest {
    private static final String FIRST = "01k0first00000000000000000";
    private static final String SECOND = "01k0second0000000000000000";

    @TempDir
    Path folder;

    @Test
    void aKeyspaceIsPreparedOnceAndKeepsItsInstallation() throws IOException {
        CassandraSettings settings = TestStore.newSettings();
        assertThat(CassandraStore.prepare(settings, FIRST)).isEqualTo(CassandraSchema.VERSION);
        byte[] key = Files.readAllBytes(settings.masterKey());

        assertThat(CassandraStore.prepare(settings, SECOND)).isEqualTo(CassandraSchema.VERSION);

        try (CassandraStore store = CassandraStore.open(settings)) {
            assertThat(store.installation()).isEqualTo(FIRST);
        }
        assertThat(settings.masterKey()).hasBinaryContent(key);
        assertThat(Files.getPosixFilePermissions(settings.masterKey()))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));

        // the schema of another version
        try (CqlSession session = TestStore.session()) {
            String update =
                    "UPDATE " + settings.keyspace() + ".vivarium_installation SET version = %d WHERE id = 'vivarium'";
            session.execute(update.formatted(CassandraSchema.VERSION + 1));
            assertRefused(
                    () -> CassandraStore.open(settings),
                    "schema " + (CassandraSchema.VERSION + 1),
                    "use the newer version");
            assertRefused(
                    () -> CassandraStore.prepare(settings, FIRST),
                    "schema " + (CassandraSchema.VERSION + 1),
                    "use the newer version");
            session.execute(update.formatted(0));
            assertRefused(() -> CassandraStore.open(settings), "schema 0", "vivarium store prepare");
            assertThat(CassandraStore.prepare(settings, SECOND)).isEqualTo(CassandraSchema.VERSION);
            CassandraStore.open(settings).close();
        }

        // another master key, and a missing one
        Files.writeString(settings.masterKey(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        assertRefused(() -> CassandraStore.open(settings), "master key", "copy the file from a node that works");
        assertRefused(() -> CassandraStore.prepare(settings, FIRST), "master key", "copy the file");
        Files.delete(settings.masterKey());
        assertRefused(() -> CassandraStore.open(settings), "There is no master key", "copy it from another node");
        assertRefused(() -> CassandraStore.prepare(settings, FIRST), "There is no master key", "copy the file");
    }

    @Test
    void theReplicationFactorIsRequiredUnlessTheKeyspaceExists() throws IOException {
        CassandraSettings settings = TestStore.newSettings();
        CassandraSettings unsaid = new CassandraSettings(
                settings.contactPoints(),
                settings.datacenter(),
                settings.keyspace(),
                settings.credentials(),
                new CassandraSettings.Replication(CassandraSettings.Replication.Strategy.NetworkTopologyStrategy, 0),
                settings.masterKey(),
                settings.startWait(),
                settings.driver());
        assertRefused(() -> CassandraStore.prepare(unsaid, FIRST), "replication.factor must say");

        try (CqlSession session = TestStore.session()) {
            session.execute("CREATE KEYSPACE " + settings.keyspace()
                    + " WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}");
        }

        assertThat(CassandraStore.prepare(unsaid, FIRST)).isEqualTo(CassandraSchema.VERSION);
    }

    @Test
    void anUnpreparedKeyspaceIsRefusedAndNotCreated() throws IOException {
        CassandraSettings settings = TestStore.newSettings();
        Files.writeString(settings.masterKey(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");

        assertRefused(() -> CassandraStore.open(settings), "is not prepared", "vivarium store prepare");

        try (CqlSession session = TestStore.session()) {
            assertThat(session.execute("SELECT keyspace_name FROM system_schema.keyspaces")
                            .all())
                    .extracting(row -> row.getString(0))
                    .doesNotContain(settings.keyspace());
        }
    }

    @Test
    void anUnreachableClusterIsReportedInASentence() throws IOException {
        Path key = Files.writeString(folder.resolve("key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        CassandraSettings nowhere = settings("contact-points = [\"127.0.0.1:1\"], master-key = \"" + key + "\"");

        assertRefused(() -> CassandraStore.open(nowhere), "does not answer", "contact-points and datacenter");
    }

    @Test
    void anUnknownDatacenterIsReportedInASentence() throws IOException {
        CassandraServer server = TestCassandra.server();
        Path key = Files.writeString(folder.resolve("key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        CassandraSettings elsewhere = settings("contact-points = [\"127.0.0.1:"
                + server.address().getPort() + "\"], datacenter = mars, master-key = \"" + key + "\"");

        assertRefused(() -> CassandraStore.open(elsewhere), "does not answer", "datacenter");
    }

    @Test
    void invalidSettingsAreNamed() {
        assertRefused(() -> settings("contact-points = []"), "contact-points is empty");
        assertRefused(() -> settings("contact-points = [cassandra]"), "hosts with their ports");
        assertRefused(() -> settings("keyspace = \"x; DROP\""), "keyspace is");
        assertRefused(() -> settings("datacenter = \"\""), "datacenter is empty");
        assertRefused(() -> settings("master-key = \"\""), "master-key is empty");
        assertRefused(() -> settings("authority = /nonexistent"), "authority", "no certificates");
        assertRefused(() -> settings("user = me"), "password-file is empty");
        assertRefused(() -> settings("user = me, password-file = /nonexistent"), "password-file", "cannot be read");
        assertRefused(() -> settings("replication.class = Everywhere"), "Everywhere", "NetworkTopologyStrategy");
    }

    @Test
    void credentialsReachTheDriverAndNoText() throws IOException {
        Path password = Files.writeString(folder.resolve("password"), "hush\n");
        CassandraSettings settings = settings("user = me, password-file = \"" + password + "\"");

        assertThat(settings.driverConfig().getString("advanced.auth-provider.password"))
                .isEqualTo("hush");
        assertThat(settings.credentials().toString()).contains("me").doesNotContain("hush");
    }

    private static CassandraSettings settings(String over) {
        Config all = ConfigFactory.parseString(
                """
                contact-points = ["127.0.0.1:9042"], datacenter = datacenter1, keyspace = vivarium, user = ""
                password-file = "", replication { class = NetworkTopologyStrategy, factor = 0 }
                master-key = /tmp/none, start-wait = 0s, driver {}
                authority = "", insecure-store-in-clear-text = off""");
        return CassandraSettings.from(ConfigFactory.parseString(over).withFallback(all));
    }

    private static void assertRefused(ThrowingCallable step, String... words) {
        assertThatThrownBy(step).isInstanceOf(StoreUnavailable.class).satisfies(refused -> List.of(words)
                .forEach(word -> assertThat(refused).hasMessageContaining(word)));
    }
}
