package dev.vivarium.node.network.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.Networks;
import dev.vivarium.node.network.RecordedLedger;
import dev.vivarium.node.network.Sandboxes;
import dev.vivarium.node.network.resolver.FakeUpstream;
import dev.vivarium.node.network.resolver.Resolver;
import dev.vivarium.node.network.resolver.ResolverSettings;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.io.InputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The gateway with real sockets: sandboxes and what is outside are on loopback, and addresses are judged as they are. */
@Timeout(60)
class GatewayTest {
    private static final Inet4Address EGRESS = (Inet4Address) InetAddresses.forString("127.0.0.54");
    private static final byte[] ACCESS_DENIED = {21, 3, 1, 0, 2, 2, 49};
    private static final byte[] UNRECOGNIZED_NAME = {21, 3, 1, 0, 2, 2, 112};

    private final RecordedLedger ledger = new RecordedLedger();
    private final Sandboxes sandboxes = new Sandboxes();
    private final InetAddress sandbox = sandboxes.listing(
            "127.0.0.2", "api.example.com:80,443,5432,8080", "*.example.org", "1.2.3.0/24:5432", "10.0.0.0/24:5432");
    private final InetAddress neighbour = sandboxes.listing("127.0.0.3", "other.example.com");
    private final Inside inside = new Inside(sandbox);
    private final FakeUpstream upstream = new FakeUpstream();
    private final List<InetSocketAddress> reached = new CopyOnWriteArrayList<>();
    private final List<InetAddress> own = new CopyOnWriteArrayList<>();
    private final BlockedAddresses blocked = Networks.blocked(own::contains);
    private Internet outside;
    private Resolver names;
    private Gateway gateway;

    @BeforeEach
    void start() throws IOException {
        outside = new Internet();
        upstream.has("api.example.com", "1.2.3.4").has("a.example.org", "1.2.3.5");
        names = Resolver.start(
                ResolverSettings.from(ConfigFactory.parseString("port = 0, upstream = [\"127.0.0.1:"
                                + upstream.address().getPort() + "\"]")
                        .withFallback(
                                ConfigFactory.parseResources("egress.conf").getConfig("names"))),
                EGRESS,
                blocked,
                sandboxes,
                ledger);
        start("");
    }

    private void start(String more, String... internalDestinations) throws IOException {
        if (gateway != null) {
            gateway.close();
        }
        Config config = ConfigFactory.parseString(more + "\n tls-port = 0, http-port = 0, proxy-port = 0")
                .withFallback(ConfigFactory.parseResources("egress.conf").getConfig("gateway"));
        GatewaySettings settings = GatewaySettings.from(config);
        UpstreamConnector connector = new UpstreamConnector(
                settings,
                blocked,
                Arrays.stream(internalDestinations).map(Ipv4Block::parse).toList(),
                names.lookups(),
                ledger,
                judged -> {
                    reached.add(judged);
                    return outside.address();
                });
        gateway = Gateway.start(settings, EGRESS, connector, sandboxes, ledger);
    }

    @AfterEach
    void stop() throws IOException {
        gateway.close();
        names.close();
        upstream.close();
        outside.close();
    }

    @Test
    void tlsToAListedHostIsPassedOnAsItIs() throws Exception {
        outside.converses(GatewayTest::echo);
        byte[] hello = hello("API.example.com");

        try (Socket client = inside.connect(gateway.tlsAddress())) {
            client.getOutputStream().write(hello);
            assertThat(client.getInputStream().readNBytes(hello.length)).isEqualTo(hello);
            Internet.write(client, "and more");
            assertThat(client.getInputStream().readNBytes(8)).asString().isEqualTo("and more");
        }

        assertThat(reached).containsExactly(new InetSocketAddress(InetAddresses.forString("1.2.3.4"), 443));
        assertThat(ledger.lines()).containsExactly("allowed api.example.com:443");
        await().untilAsserted(() -> assertThat(ledger.transfers())
                .containsExactly(
                        new RecordedLedger.Transfer("api.example.com", 443, hello.length + 8L, hello.length + 8L)));
    }

    @Test
    void tlsThatArrivesByteByByteIsPassedOn() throws Exception {
        outside.converses(GatewayTest::echo);
        byte[] hello = hello("api.example.com");

        try (Socket client = inside.connect(gateway.tlsAddress())) {
            client.setTcpNoDelay(true);
            for (byte single : hello) {
                client.getOutputStream().write(single);
            }
            assertThat(client.getInputStream().readNBytes(hello.length)).isEqualTo(hello);
        }
    }

    @Test
    void tlsToAHostThatIsNotListedEndsWithAnAlert() throws Exception {
        upstream.has("evil.com", "6.6.6.6");

        assertThat(answerToTls(hello("evil.com"))).isEqualTo(ACCESS_DENIED);

        assertThat(reached).isEmpty();
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines()).containsExactly("denied evil.com:443 NOT_LISTED");
    }

    @Test
    void tlsWithoutANameEndsWithAnAlert() throws Exception {
        assertThat(answerToTls(hello(null))).isEqualTo(UNRECOGNIZED_NAME);
        assertThat(ledger.lines()).containsExactly("denied TLS without a name:443 MALFORMED");
    }

    @Test
    void connectionsWithoutTlsAreClosed() throws Exception {
        byte[] answer =
                answerToTls("GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

        assertThat(answer).isEqualTo(UNRECOGNIZED_NAME);
        assertThat(reached).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"169.254.169.254", "127.0.0.1", "10.0.0.5", "192.168.77.10"})
    void aListedNameWithAnInternalAddressIsDenied(String inside) throws Exception {
        upstream.has("api.example.com", inside);

        assertThat(answerToTls(hello("api.example.com"))).isEqualTo(ACCESS_DENIED);

        assertThat(reached).isEmpty();
        assertThat(ledger.lines()).containsExactly("denied api.example.com:443 INTERNAL_ADDRESS");
    }

    @Test
    void eachSandboxHasItsOwnList() throws Exception {
        try (Socket client = new Inside(neighbour).connect(gateway.tlsAddress())) {
            client.getOutputStream().write(hello("api.example.com"));
            assertThat(client.getInputStream().readAllBytes()).isEqualTo(ACCESS_DENIED);
        }
        try (Socket stranger = new Inside(InetAddresses.forString("127.0.0.99")).connect(gateway.tlsAddress())) {
            assertThat(stranger.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void plainHttpIsPassedOnWithoutHopByHopHeaders() throws Exception {
        try (Socket client = inside.connect(gateway.httpAddress())) {
            Internet.write(
                    client,
                    String.join(
                            "\r\n",
                            "GET /path?q=1 HTTP/1.1",
                            "Host: API.example.com:80",
                            "Connection: X-Mine, Host",
                            "X-Mine: 1",
                            "Proxy-Authorization: secret",
                            "Upgrade: h2c",
                            "Accept: */*",
                            "\r\n"));
            assertThat(Internet.head(client.getInputStream()))
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .containsIgnoringCase("x-outside: yes")
                    .doesNotContainIgnoringCase("connection:");
            assertThat(client.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
        }

        assertThat(outside.requests()).hasSize(1);
        assertThat(outside.requests().get(0))
                .startsWith("GET /path?q=1 HTTP/1.1\r\n")
                .containsIgnoringCase("host: api.example.com\r\n")
                .containsIgnoringCase("accept: */*")
                .containsIgnoringCase("connection: close\r\n")
                .doesNotContain("X-Mine")
                .doesNotContain("secret")
                .doesNotContain("h2c");
        assertThat(reached).containsExactly(new InetSocketAddress(InetAddresses.forString("1.2.3.4"), 80));
    }

    @Test
    void eachRequestOnAKeptConnectionIsJudged() throws Exception {
        try (Socket client = inside.connect(gateway.httpAddress())) {
            for (int i = 0; i < 3; i++) {
                Internet.write(client, "GET /" + i + " HTTP/1.1\r\nHost: a.example.org\r\n\r\n");
                Internet.head(client.getInputStream());
                client.getInputStream().readNBytes(5);
            }
            Internet.write(client, "GET /stolen HTTP/1.1\r\nHost: evil.com\r\n\r\n");

            String refusal = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(refusal)
                    .startsWith("HTTP/1.1 403 ")
                    .contains("application/problem+json")
                    .contains("add \\\"evil.com:80\\\" to egress.allow");
        }
        assertThat(outside.requests()).hasSize(3);
        assertThat(ledger.lines())
                .containsExactly(
                        "allowed a.example.org:80",
                        "allowed a.example.org:80",
                        "allowed a.example.org:80",
                        "denied evil.com:80 NOT_LISTED");
    }

    @Test
    void pipelinedRequestsAreJudgedEachAndAnsweredInOrder() throws Exception {
        try (Socket client = inside.connect(gateway.httpAddress())) {
            Internet.write(
                    client,
                    get("/1", "a.example.org")
                            + get("/2", "a.example.org")
                            + get("/3", "evil.com")
                            + get("/4", "a.example.org"));
            String all = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all.split("HTTP/1.1 200 OK", -1)).hasSize(3);
            assertThat(all).contains("HTTP/1.1 403 ");
        }
        assertThat(outside.requests()).hasSize(2);
    }

    @Test
    void bodiesGoBothWaysInChunks() throws Exception {
        outside.converses(socket -> {
            String head = Internet.head(socket.getInputStream());
            String body = Internet.head(socket.getInputStream());
            Internet.write(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
            assertThat(head).containsIgnoringCase("transfer-encoding: chunked");
            assertThat(body).isEqualTo("4\r\nbody\r\n0\r\n\r\n");
        });
        try (Socket client = inside.connect(gateway.httpAddress())) {
            Internet.write(
                    client,
                    "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
            assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 100 ");
            Internet.write(client, "4\r\nbody\r\n0\r\n\r\n");
            assertThat(Internet.head(client.getInputStream())).containsIgnoringCase("transfer-encoding: chunked");
            assertThat(Internet.head(client.getInputStream())).isEqualTo("3\r\nabc\r\n0\r\n\r\n");
        }
    }

    @Test
    void aResponseThatEndsWithItsConnectionIsCompleteForTheClient() throws Exception {
        outside.converses(socket -> {
            Internet.head(socket.getInputStream());
            Internet.write(socket, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
        });
        try (Socket client = inside.connect(gateway.httpAddress())) {
            Internet.write(client, "GET / HTTP/1.0\r\nHost: a.example.org\r\n\r\n");
            String all = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all).endsWith("\r\n\r\nuntil the end").doesNotContainIgnoringCase("chunked");
        }
    }

    @Test
    void anAnswerToHeadHasNoBodyAndTheConnectionStaysOpen() throws Exception {
        outside.converses(socket -> {
            Internet.head(socket.getInputStream());
            Internet.write(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        });
        try (Socket client = inside.connect(gateway.httpAddress())) {
            for (int i = 0; i < 2; i++) {
                Internet.write(client, "HEAD / HTTP/1.1\r\nHost: a.example.org\r\n\r\n");
                assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 200 OK\r\n");
            }
        }
    }

    @Test
    void aHostThatDoesNotAnswerIsABadGateway() throws Exception {
        outside.converses(Socket::close);
        assertThat(inside.answer(gateway.httpAddress(), "GET / HTTP/1.1\r\nHost: a.example.org\r\n\r\n"))
                .startsWith("HTTP/1.1 502 ");
        assertThat(inside.answer(gateway.httpAddress(), "GET / HTTP/1.1\r\nHost: unknown.example.org\r\n\r\n"))
                .startsWith("HTTP/1.1 502 ")
                .contains("has no IPv4 address");
    }

    @Test
    void theProxyTakesUrlsOfListedHostsAndPorts() throws Exception {
        String answer = inside.answer(
                gateway.proxyAddress(),
                "GET http://api.example.com:8080/x HTTP/1.1\r\nHost: api.example.com:8080\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 OK").endsWith("hello");
        assertThat(outside.requests().get(0))
                .startsWith("GET /x HTTP/1.1\r\n")
                .containsIgnoringCase("host: api.example.com:8080\r\n");
        assertThat(inside.answer(
                        gateway.proxyAddress(),
                        "GET http://api.example.com:8081/x HTTP/1.1\r\nHost: api.example.com:8081\r\n\r\n"))
                .startsWith("HTTP/1.1 403 ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET http://api.example.com/ HTTP/1.1\r\nHost: evil.com\r\n\r\n",
                "GET http://evil.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com:8080\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\n\r\n",
                "CONNECT api.example.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n"
            })
    void aHostHeaderThatDoesNotAgreeIsRefused(String request) throws Exception {
        assertThat(inside.answer(gateway.proxyAddress(), request)).startsWith("HTTP/1.1 400 ");
        assertThat(reached).isEmpty();
        assertThat(ledger.lines()).hasSize(1).allMatch(line -> line.endsWith("NAME_MISMATCH"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 4, 5\r\n\r\nabcde",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: +4\r\n\r\nabcd",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: -1\r\n\r\nabcd",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.0\r\nHost: a.example.org\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.example.org\r\nHost: evil.com\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.example.org, evil.com\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: user@a.example.org\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.example.org:99999\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.example.org:8080\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET http://a.example.org/ HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
                "CONNECT a.example.org:443 HTTP/1.1\r\nHost: a.example.org:443\r\n\r\n",
                "GET / HTTP/2.0\r\nHost: a.example.org\r\n\r\n",
                "nonsense\r\n\r\n"
            })
    void ambiguousRequestsAreRefused(String request) throws Exception {
        assertThat(inside.answer(gateway.httpAddress(), request)).startsWith("HTTP/1.1 400 ");
        assertThat(outside.requests()).isEmpty();
    }

    @Test
    void aHeadThatIsTooLargeIsRefused() throws Exception {
        assertThat(inside.answer(
                        gateway.httpAddress(),
                        "GET / HTTP/1.1\r\nHost: a.example.org\r\nX: " + "x".repeat(40_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void aTunnelToAListedHostCarriesWhateverItIs() throws Exception {
        outside.converses(socket -> {
            Internet.write(socket, "220 ");
            echo(socket);
        });
        for (String spoken : List.of("EHLO me\r\n", "\0\0\0\10", "GET key\r\n")) {
            try (Socket client = inside.connect(gateway.proxyAddress())) {
                // as Python's http.client asks for one
                Internet.write(client, "CONNECT api.example.com:5432 HTTP/1.0\r\n\r\n");
                assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 200 ");
                assertThat(client.getInputStream().readNBytes(4)).asString().isEqualTo("220 ");
                Internet.write(client, spoken);
                assertThat(client.getInputStream().readNBytes(spoken.length()))
                        .asString()
                        .isEqualTo(spoken);
            }
        }
        assertThat(reached.subList(0, 1))
                .containsExactly(new InetSocketAddress(InetAddresses.forString("1.2.3.4"), 5432));
    }

    @Test
    void tlsInATunnelHasToNameTheHostOfTheTunnel() throws Exception {
        outside.converses(GatewayTest::echo);
        byte[] agreeing = hello("api.example.com");
        try (Socket client = tunnel("api.example.com:443")) {
            client.getOutputStream().write(agreeing);
            assertThat(client.getInputStream().readNBytes(agreeing.length)).isEqualTo(agreeing);
        }
        try (Socket client = tunnel("api.example.com:443")) {
            client.getOutputStream().write(hello("evil.com"));
            assertThat(client.getInputStream().readAllBytes()).isEqualTo(UNRECOGNIZED_NAME);
        }
        assertThat(ledger.lines()).contains("denied evil.com:443 NAME_MISMATCH");
        // Of the second nothing went out.
        await().untilAsserted(() -> assertThat(ledger.transfers())
                .containsExactly(
                        new RecordedLedger.Transfer("api.example.com", 443, agreeing.length, agreeing.length)));
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 443, 5432, 8080})
    void onEveryPortTlsInATunnelHasToNameItsHost(int port) throws Exception {
        byte[] warning = {21, 3, 1, 0, 2, 1, 90};
        try (Socket client = tunnel("api.example.com:" + port)) {
            client.getOutputStream().write(hello("evil.com"));
            assertThat(client.getInputStream().readAllBytes()).isEqualTo(UNRECOGNIZED_NAME);
        }
        try (Socket client = tunnel("api.example.com:" + port)) {
            client.getOutputStream().write(warning);
            client.getOutputStream().write(hello("evil.com"));
            assertThat(client.getInputStream().readAllBytes()).isEmpty();
        } catch (IOException reset) {
            // which is an end too
        }
        assertThat(ledger.transfers()).isEmpty();
    }

    @Test
    void plainRequestsInATunnelReachItsHost() throws Exception {
        outside.converses(socket -> {
            while (true) {
                String head = Internet.head(socket.getInputStream());
                String body = head.startsWith("POST") ? Internet.head(socket.getInputStream()) : "";
                String answer = head + body;
                Internet.write(socket, "HTTP/1.1 200 OK\r\nContent-Length: " + answer.length() + "\r\n\r\n" + answer);
            }
        });
        try (Socket client = tunnel("api.example.com:8080")) {
            for (String request : List.of(
                    get("/1", "api.example.com:8080"),
                    get("/2", "API.example.com"),
                    get("http://api.example.com:8080/3", "api.example.com:8080"),
                    "GET /4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                    "POST /5 HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")) {
                for (byte single : request.getBytes(StandardCharsets.US_ASCII)) {
                    client.getOutputStream().write(single);
                }
                Internet.head(client.getInputStream());
                assertThat(client.getInputStream().readNBytes(request.length()))
                        .asString()
                        .isEqualToIgnoringCase(request);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: api.example.com\r\nHost: evil.com\r\n\r\n",
                "GET / HTTP/1.1\nHost: evil.com\n\n",
                "get / http/1.1\r\nHost: evil.com\r\n\r\n",
                "GET http://evil.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "GET https://evil.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "CONNECT evil.com:80 HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "\r\n\r\nGET / HTTP/1.1\r\nHost: evil.com\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET /\r\nHost: evil.com\r\n\r\n",
                "GET / HTTQ/1.1\r\nHost: evil.com\r\n\r\n",
                " GET\t/\nHost: evil.com\n\n",
                "GET http://evil.com/\r\n\r\n",
                "OPTIONS *\r\nHost: evil.com\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            })
    void aPlainRequestInATunnelForAnotherHostIsDenied(String request) throws Exception {
        try (Socket client = tunnel("api.example.com:80")) {
            Internet.write(client, request);
            assertThat(client.getInputStream().readAllBytes()).asString().doesNotContain("200 OK");
        } catch (IOException reset) {
            // which is an end too
        }
        assertThat(outside.requests()).isEmpty();
        assertThat(ledger.lines()).anyMatch(line -> line.startsWith("denied "));
    }

    @Test
    void eachPlainRequestInATunnelIsJudged() throws Exception {
        outside.converses(socket -> {
            outside.heard(Internet.head(socket.getInputStream()));
            Internet.write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            outside.heard(Internet.head(socket.getInputStream()));
        });
        try (Socket client = tunnel("api.example.com:80")) {
            Internet.write(client, get("/1", "api.example.com"));
            Internet.head(client.getInputStream());
            Internet.write(client, get("/2", "evil.com"));
            assertThat(client.getInputStream().readAllBytes()).asString().startsWith("HTTP/1.1 400 ");
        }
        assertThat(outside.requests()).hasSize(1);
        assertThat(ledger.lines()).contains("denied evil.com:80 NAME_MISMATCH");
    }

    @Test
    void aWebSocketGoesThroughATunnelOnceItsServerHasAgreed() throws Exception {
        outside.converses(socket -> {
            outside.heard(Internet.head(socket.getInputStream()));
            Internet.write(socket, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
            echo(socket);
        });
        try (Socket client = tunnel("api.example.com:80")) {
            Internet.write(client, upgrade("websocket"));
            assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 101 ");
            Internet.write(client, "\201\3abc");
            assertThat(client.getInputStream().readNBytes(5)).containsExactly(0x81, 3, 'a', 'b', 'c');
        }
    }

    @Test
    void aServerThatDoesNotAgreeToAnotherProtocolIsSentNothingMore() throws Exception {
        outside.converses(socket -> {
            outside.heard(Internet.head(socket.getInputStream()));
            Internet.write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            outside.heard(Internet.head(socket.getInputStream()));
        });
        for (String protocol : List.of("websocket", "h2c")) {
            try (Socket client = tunnel("api.example.com:80")) {
                Internet.write(client, upgrade(protocol));
                Internet.head(client.getInputStream());
                Internet.write(client, get("/stolen", "evil.com"));
                assertThat(client.getInputStream().readAllBytes()).asString().doesNotContain("200 OK");
            } catch (IOException reset) {
                // which is an end too
            }
        }
        assertThat(outside.requests()).hasSize(2).noneMatch(head -> head.contains("h2c"));
    }

    private static String upgrade(String protocol) {
        return "GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: upgrade\r\nUpgrade: " + protocol + "\r\n\r\n";
    }

    @Test
    void dataConveyedByNamesBelowAWildcardIsLimited() throws Exception {
        int refused = 0;
        for (int i = 0; i < 80; i++) {
            String answer = inside.answer(
                    gateway.proxyAddress(), "CONNECT " + i + "x".repeat(55) + ".example.org:443 HTTP/1.1\r\n\r\n");
            refused += answer.startsWith("HTTP/1.1 403 ") ? 1 : 0;
        }

        int letters = upstream.asked().stream().mapToInt(String::length).sum();
        assertThat(letters).isBetween(4096, 6144);
        assertThat(refused).isBetween(5, 15);
        assertThat(ledger.lines()).anyMatch(line -> line.endsWith("TOO_MANY"));
        // What the list names word by word is asked for all the same.
        assertThat(inside.answer(gateway.httpAddress(), get("/", "api.example.com")))
                .startsWith("HTTP/1.1 200 OK");
    }

    @Test
    void anAddressThatBecomesTheNodesOwnIsNoLongerReached() throws Exception {
        outside.converses(GatewayTest::echo);
        try (Socket before = tunnel("api.example.com:5432")) {
            assertThat(before.isConnected()).isTrue();
        }
        own.add(InetAddresses.forString("1.2.3.4"));

        for (String target : List.of("api.example.com:5432", "1.2.3.4:5432")) {
            assertThat(inside.answer(gateway.proxyAddress(), "CONNECT " + target + " HTTP/1.1\r\n\r\n"))
                    .startsWith("HTTP/1.1 403 ");
        }
        assertThat(ledger.lines())
                .contains("denied api.example.com:5432 INTERNAL_ADDRESS", "denied 1.2.3.4:5432 INTERNAL_ADDRESS");
    }

    @Test
    void anAddressIsReachedThroughATunnelWhenItsBlockIsListed() throws Exception {
        outside.converses(GatewayTest::echo);
        try (Socket client = tunnel("1.2.3.77:5432")) {
            Internet.write(client, "anything");
            assertThat(client.getInputStream().readNBytes(8)).asString().isEqualTo("anything");
        }
        for (String target : List.of("1.2.3.77:443", "1.2.4.1:5432", "api.example.com:22", "evil.com:443")) {
            assertThat(inside.answer(
                            gateway.proxyAddress(), "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n"))
                    .startsWith("HTTP/1.1 403 ")
                    .contains("add \\\"" + target + "\\\" to egress.allow");
        }
        for (String target :
                List.of("0177.0.0.1:5432", "1.2:5432", "0x7f.1:5432", "api.example.com", "[::1]:443", ":443")) {
            assertThat(inside.answer(gateway.proxyAddress(), "CONNECT " + target + " HTTP/1.0\r\n\r\n"))
                    .startsWith("HTTP/1.1 400 ");
        }
    }

    @Test
    void anInternalAddressIsReachedOnlyWhenItIsListedAndTheOperatorAllowsIt() throws Exception {
        assertThat(inside.answer(gateway.proxyAddress(), "CONNECT 10.0.0.5:5432 HTTP/1.0\r\n\r\n"))
                .startsWith("HTTP/1.1 403 ")
                .contains("internal-destinations");
        assertThat(ledger.lines()).containsExactly("denied 10.0.0.5:5432 INTERNAL_ADDRESS");
        start("", "10.0.0.5");
        try (Socket client = tunnel("10.0.0.5:5432")) {
            assertThat(client.isConnected()).isTrue();
        }
        assertThat(inside.answer(gateway.proxyAddress(), "CONNECT 10.0.0.6:5432 HTTP/1.0\r\n\r\n"))
                .startsWith("HTTP/1.1 403 ");
    }

    @Test
    void aSlowHeadClosesItsConnection() throws Exception {
        start("head-timeout = 300ms");
        for (InetSocketAddress door : List.of(gateway.tlsAddress(), gateway.httpAddress(), gateway.proxyAddress())) {
            try (Socket client = inside.connect(door)) {
                client.getOutputStream().write(door.equals(gateway.tlsAddress()) ? 22 : 'G');
                assertThat(client.getInputStream().read()).isEqualTo(-1);
            }
        }
    }

    @Test
    void aSilentConnectionIsClosed() throws Exception {
        start("idle-timeout = 300ms");
        outside.converses(GatewayTest::echo);
        try (Socket client = tunnel("api.example.com:5432")) {
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void aSandboxThatHasUsedUpItsConnectionsGetsNoMore() throws Exception {
        start("");
        outside.converses(GatewayTest::echo);
        for (long opened = 0; opened < Sandboxes.CONNECTIONS_MAX; opened++) {
            ledger.opens(sandboxes.at(sandbox).orElseThrow());
        }
        try (Socket client = inside.connect(gateway.proxyAddress())) {
            Internet.write(client, "CONNECT api.example.com:5432 HTTP/1.1\r\nHost: api.example.com:5432\r\n\r\n");
            assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 403 ");
        }
        assertThat(ledger.lines()).contains("denied api.example.com:5432 TOO_MANY");
    }

    @Test
    void oneSandboxCannotHaveAllConnections() throws Exception {
        start("connections-max = 2");
        try (Socket first = inside.connect(gateway.tlsAddress());
                Socket second = inside.connect(gateway.httpAddress());
                Socket other = new Inside(neighbour).connect(gateway.httpAddress())) {
            await().untilAsserted(() -> {
                try (Socket third = inside.connect(gateway.proxyAddress())) {
                    third.setSoTimeout(1000);
                    assertThat(third.getInputStream().read()).isEqualTo(-1);
                }
            });
            assertThat(first.isConnected() && second.isConnected()).isTrue();
            Internet.write(other, "GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n");
            assertThat(Internet.head(other.getInputStream())).startsWith("HTTP/1.1 403 ");
        }
        assertThat(ledger.lines()).contains("denied connections to the gateway:3128 TOO_MANY");
    }

    @Test
    void aSlowReaderSlowsDownTheSenderAndFinallyReceivesEverything() throws Exception {
        int size = 96 << 20;
        AtomicLong sent = new AtomicLong();
        outside.converses(socket -> {
            byte[] block = new byte[1 << 16];
            while (sent.get() < size) {
                socket.getOutputStream().write(block);
                sent.addAndGet(block.length);
            }
        });
        try (Socket client = tunnel("api.example.com:5432")) {
            InputStream in = client.getInputStream();
            assertThat(in.readNBytes(1 << 20)).hasSize(1 << 20);
            // The kernel's buffers are full, and the gateway holds no more than its own.
            await().during(Duration.ofMillis(500))
                    .atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(sent.get()).isLessThan(size / 2));
            long rest = 0;
            for (byte[] part = in.readNBytes(1 << 20); part.length > 0; part = in.readNBytes(1 << 20)) {
                rest += part.length;
            }
            assertThat(rest).isEqualTo(size - (1 << 20));
        }
    }

    @Test
    void nothingSentStopsTheGateway() throws Exception {
        Random random = new Random(20261125);
        byte[] hello = hello("api.example.com");
        byte[] request =
                "POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 4\r\n\r\nbody"
                        .getBytes(StandardCharsets.US_ASCII);
        List<InetSocketAddress> doors = List.of(gateway.tlsAddress(), gateway.httpAddress(), gateway.proxyAddress());
        for (int i = 0; i < 600; i++) {
            byte[] sent = (i % 3 == 0 ? hello : request).clone();
            for (int changes = random.nextInt(8); changes > 0; changes--) {
                sent[random.nextInt(sent.length)] = (byte) random.nextInt(256);
            }
            try (Socket client = inside.connect(doors.get(i % 3))) {
                client.getOutputStream().write(sent, 0, 1 + random.nextInt(sent.length));
            } catch (IOException closedEarly) {
                // which is an answer
            }
        }
        await().untilAsserted(() -> assertThat(inside.answer(
                        gateway.httpAddress(), "GET / HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200 OK"));
    }

    private static String get(String path, String host) {
        return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    }

    private Socket tunnel(String target) throws IOException {
        Socket client = inside.connect(gateway.proxyAddress());
        Internet.write(client, "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
        assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 200 ");
        return client;
    }

    private byte[] answerToTls(byte[] hello) throws IOException {
        try (Socket client = inside.connect(gateway.tlsAddress())) {
            client.getOutputStream().write(hello);
            return client.getInputStream().readAllBytes();
        }
    }

    private static void echo(Socket socket) throws IOException {
        socket.getInputStream().transferTo(socket.getOutputStream());
    }

    /** The first message of TLS as Java's own client sends it; with no name when there is none. */
    static byte[] hello(String name) throws NoSuchAlgorithmException, SSLException {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(true);
        if (name != null) {
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(name)));
            engine.setSSLParameters(parameters);
        }
        ByteBuffer hello = ByteBuffer.allocate(1 << 16);
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }
}
