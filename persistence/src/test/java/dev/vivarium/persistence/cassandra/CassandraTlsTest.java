package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.TestCertificate;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom a node believes that it is the cluster of its store. */
@Timeout(120)
class CassandraTlsTest {
    private static final String CLASS = "advanced.ssl-engine-factory.class";
    private static final String OWN_FACTORY = "advanced.ssl-engine-factory { class = DefaultSslEngineFactory";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"localhost:9042", "127.0.0.1:9042", "127.3.2.1:1", "[::1]:9042", "::1:9042"})
    void aClusterOnThisMachineIsSpokenWithAsItIs(String point) {
        assertThat(CassandraTls.driver(List.of(point), ConfigFactory.empty(), "", ClearText.REFUSED)
                        .hasPath(CLASS))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cassandra-1.example.com:9042",
                "10.0.0.5:9042",
                "127.0.0.1.example.com:9042",
                "localhost.example.com:9042",
                "2001:db8::5:9042",
                "[::ffff:10.0.0.5]:9042"
            })
    void serversOnOtherMachinesAreVerifiedUnlessTheOperatorInsists(String point) {
        List<String> points = List.of("127.0.0.1:9042", point);

        assertThat(CassandraTls.driver(points, ConfigFactory.empty(), "", ClearText.REFUSED)
                        .getString(CLASS))
                .isEqualTo(VerifiedServers.class.getName());
        assertThat(CassandraTls.driver(points, ConfigFactory.empty(), "", ClearText.ALLOWED)
                        .hasPath(CLASS))
                .isFalse();
    }

    @Test
    void theOperatorsOwnFactoryIsTakenUnlessItVerifiesNoHost() {
        List<String> points = List.of("cassandra-1.example.com:9042");
        Config own = ConfigFactory.parseString(OWN_FACTORY + " }");
        assertThat(CassandraTls.driver(points, own, "", ClearText.REFUSED)).isEqualTo(own);

        Config anyHost = ConfigFactory.parseString(OWN_FACTORY + ", hostname-validation = false }");
        assertThatThrownBy(() -> CassandraTls.driver(points, anyHost, "", ClearText.REFUSED))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("hostname-validation")
                .hasMessageContaining("insecure-store-in-clear-text");
        assertThat(CassandraTls.driver(points, anyHost, "", ClearText.ALLOWED)).isEqualTo(anyHost);
    }

    @Test
    void anAuthorityThatIsNoneIsReportedBeforeAnythingConnects() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "no certificate");

        for (Path authority : List.of(folder.resolve("missing"), folder, text)) {
            assertThatThrownBy(() -> CassandraTls.driver(
                            List.of("127.0.0.1:9042"), ConfigFactory.empty(), authority.toString(), ClearText.REFUSED))
                    .isInstanceOf(StoreUnavailable.class)
                    .hasMessageContaining("vivarium.store.cassandra.authority")
                    .hasMessageContaining(authority.toString());
        }
    }

    @Test
    void aServerWithACertificateOfTheAuthorityForItsAddressIsSpokenWithEncrypted() {
        try (CqlSession session = connect("127.0.0.1", TestCassandra.server().authority())) {
            List<Row> own =
                    session
                            .execute("SELECT ssl_enabled, ssl_protocol, driver_name FROM system_views.clients")
                            .all()
                            .stream()
                            .filter(client -> client.getBoolean("ssl_enabled"))
                            .toList();
            assertThat(own).isNotEmpty();
            assertThat(own)
                    .extracting(client -> client.getString("ssl_protocol"))
                    .containsOnly("TLSv1.3");
        }
    }

    @Test
    void aServerOfAnotherAuthorityOrForAnotherAddressIsNotSpokenWith() throws Exception {
        Path foreign = TestCertificate.make(folder, "foreign").certificate();

        assertThatThrownBy(() -> connect("127.0.0.1", foreign).close())
                .isInstanceOf(AllNodesFailedException.class)
                .hasStackTraceContaining("SSLHandshakeException");
        assertThatThrownBy(() ->
                        connect("localhost", TestCassandra.server().authority()).close())
                .isInstanceOf(AllNodesFailedException.class)
                .hasStackTraceContaining("No name matching localhost found");
    }

    private static CqlSession connect(String host, Path authority) {
        List<String> points =
                List.of(host + ":" + TestCassandra.server().address().getPort());
        return Cassandra.session(new CassandraSettings(
                        points,
                        TestCassandra.server().datacenter(),
                        "vivarium_tls",
                        Optional.empty(),
                        new CassandraSettings.Replication(CassandraSettings.Replication.Strategy.SimpleStrategy, 1),
                        authority.resolveSibling("master.key"),
                        Duration.ZERO,
                        CassandraTls.driver(points, ConfigFactory.empty(), authority.toString(), ClearText.REFUSED)))
                .build();
    }
}
