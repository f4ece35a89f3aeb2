package dev.vivarium.node.network.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.RecordedLedger;
import dev.vivarium.node.network.Sandboxes;
import dev.vivarium.node.network.resolver.ResolverSettings;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet4Address;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EgressPointTest {
    private static final Inet4Address EGRESS = (Inet4Address) InetAddresses.forString("127.0.0.55");
    private static final String FREE_PORTS =
            """
            names { port = 0, upstream = ["127.0.0.1:1"] }
            gateway { tls-port = 0, http-port = 0, proxy-port = 0 }
            """;

    private final RecordedLedger ledger = new RecordedLedger();
    private final Sandboxes sandboxes = new Sandboxes();

    @Test
    void theReferenceConfigurationIsSufficientForANode() {
        Config egress = ConfigFactory.load().getConfig("vivarium.egress");

        assertThat(EgressSettings.from(egress).blocked().ipv4Cidrs()).contains("10.0.0.0/8");
        assertThat(GatewaySettings.from(egress.getConfig("gateway")).proxyPort())
                .isEqualTo(3128);
        assertThat(ResolverSettings.from(egress("names.upstream = [\"192.0.2.53\", \"[2001:db8::53]:5353\"]")
                                .getConfig("names"))
                        .upstream())
                .extracting(server -> server.getAddress().getHostAddress() + " " + server.getPort())
                .containsExactly("192.0.2.53 53", "2001:db8:0:0:0:0:0:53 5353");
    }

    @Test
    void itListensForNamesAndForConnectionsUntilItIsClosed() throws IOException {
        EgressPoint point = start(egress(FREE_PORTS));
        int proxyPort = point.gateway().proxyAddress().getPort();
        try (point;
                Socket toNames = new Socket(EGRESS, point.names().tcpAddress().getPort());
                Socket toProxy = new Socket(EGRESS, proxyPort)) {
            assertThat(toNames.isConnected() && toProxy.isConnected()).isTrue();
        }
        assertUnused(proxyPort);
    }

    @Test
    void aPortThatIsTakenIsNamedAndNothingStaysOpen() throws IOException {
        int namesPort = freePort();
        try (ServerSocket taken = new ServerSocket(0, 1, EGRESS)) {
            Config egress = ConfigFactory.parseString(
                            "names.port = " + namesPort + ", gateway.proxy-port = " + taken.getLocalPort())
                    .withFallback(egress(FREE_PORTS));

            assertThatThrownBy(() -> start(egress))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.55 port " + taken.getLocalPort());
            assertUnused(namesPort);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            internal-ranges = ["10.0.0.1/8"]           | internal-ranges
            external-addresses = ["node.example.com"]  | external-addresses
            names.kept-min = 2m                        | names.kept-min
            internal-destinations = ["db.example.com"] | internal-destinations
            internal-destinations = ["10.0.0.1/8"]     | write 10.0.0.0/8
            names.upstream = ["resolver.example.com"]  | names.upstream
            names.questions-max = 0                    | names.questions-max
            names.port = 70000                         | names.port
            gateway.head-max = 64KiB                   | gateway.head-max
            gateway.io-threads = 0                     | gateway.io-threads
            gateway.tls-port = -1                      | gateway.tls-port
            """)
    void invalidSettingsAreNamed(String line, String named) {
        Config egress = ConfigFactory.parseString(line).withFallback(egress(FREE_PORTS));

        assertThatThrownBy(() -> start(egress))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(named);
    }

    private EgressPoint start(Config egress) throws IOException {
        return EgressPoint.start(egress, EgressSettings.from(egress).blocked(), EGRESS, sandboxes, ledger);
    }

    private static void assertUnused(int port) {
        assertThatThrownBy(() -> new Socket(EGRESS, port).close()).isInstanceOf(ConnectException.class);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, EGRESS)) {
            return socket.getLocalPort();
        }
    }

    private static Config egress(String more) {
        return ConfigFactory.parseString(more).withFallback(ConfigFactory.parseResources("egress.conf"));
    }
}
