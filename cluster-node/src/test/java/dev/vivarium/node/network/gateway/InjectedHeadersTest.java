package dev.vivarium.node.network.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.RecordedLedger;
import dev.vivarium.node.network.Sandboxes;
import dev.vivarium.node.network.resolver.FakeUpstream;
import dev.vivarium.node.network.resolver.Resolver;
import dev.vivarium.node.network.resolver.ResolverSettings;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the gateway adds to requests, and to which: the host is a real one with TLS, on loopback. */
@Timeout(60)
class InjectedHeadersTest {
    private static final Inet4Address EGRESS = (Inet4Address) InetAddresses.forString("127.0.0.55");
    private static final String SECRET = "s3cret-of-the-run";
    private static final String API = "api.example.com";
    private static final String TRUSTING = "extra-authorities = \"" + tls("authority") + "\"";

    private final RecordedLedger ledger = new RecordedLedger();
    private final Sandboxes sandboxes = new Sandboxes();
    private final InetAddress sandbox = sandboxes.with(
            "127.0.0.4",
            policy(
                    List.of(API + ":80,443,8080", "*.example.org", "1.2.3.0/24:80,443,8080"),
                    new InjectedHeader(HostName.parse(API), "Authorization", "API_KEY", "Bearer "),
                    new InjectedHeader(HostName.parse(API), "X-Api-Key", "OTHER_KEY", "")));
    private final InetAddress neighbour = sandboxes.listing("127.0.0.5", API);
    private final Inside inside = new Inside(sandbox);
    private final FakeUpstream upstream = new FakeUpstream();
    private final List<InetSocketAddress> reached = new CopyOnWriteArrayList<>();
    private final List<String> shaken = new CopyOnWriteArrayList<>();
    private Internet plain;
    private Internet secured;
    private Resolver names;
    private Gateway gateway;

    @BeforeEach
    void start() throws IOException {
        upstream.has(API, "1.2.3.4").has("a.example.org", "1.2.3.5");
        sandboxes.entrust(sandbox, Map.of("API_KEY", SECRET, "OTHER_KEY", SECRET + "-2"));
        plain = new Internet();
        shows("listed");
        names = Resolver.start(
                ResolverSettings.from(ConfigFactory.parseString("port = 0, upstream = [\"127.0.0.1:"
                                + upstream.address().getPort() + "\"]")
                        .withFallback(
                                ConfigFactory.parseResources("egress.conf").getConfig("names"))),
                EGRESS,
                BlockedAddresses.of(BlockedRanges.standard()),
                sandboxes,
                ledger);
        start(TRUSTING);
    }

    private void start(String more) throws IOException {
        if (gateway != null) {
            gateway.close();
        }
        Config config = ConfigFactory.parseString(more + "\n tls-port = 0, http-port = 0, proxy-port = 0")
                .withFallback(ConfigFactory.parseResources("egress.conf").getConfig("gateway"));
        GatewaySettings settings = GatewaySettings.from(config);
        UpstreamConnector connector = new UpstreamConnector(
                settings, BlockedAddresses.of(BlockedRanges.standard()), List.of(), names.lookups(), ledger, judged -> {
                    reached.add(judged);
                    return judged.getPort() == 443 ? secured.address() : plain.address();
                });
        gateway = Gateway.start(settings, EGRESS, connector, sandboxes, ledger);
    }

    /** The host of TLS shows this certificate from now on. */
    private void shows(String certificate) throws IOException {
        if (secured != null) {
            secured.close();
        }
        secured = new Internet(withTls(certificate));
    }

    @AfterEach
    void stop() throws IOException {
        gateway.close();
        names.close();
        upstream.close();
        plain.close();
        secured.close();
    }

    @Test
    void aPlainRequestToItsHostBringsTheSecretThereByTls() throws Exception {
        String answer = inside.answer(
                gateway.proxyAddress(),
                "GET http://API.example.com/v1?q=1 HTTP/1.1\r\nHost: " + API
                        + "\r\nAccept: */*\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").endsWith("hello").doesNotContain(SECRET);
        assertThat(secured.requests()).hasSize(1);
        assertThat(secured.requests().get(0))
                .startsWith("GET /v1?q=1 HTTP/1.1\r\n")
                .containsIgnoringCase("host: api.example.com\r\n")
                .contains("\r\nauthorization: Bearer " + SECRET + "\r\n")
                .contains("\r\nx-api-key: " + SECRET + "-2\r\n")
                .containsIgnoringCase("accept: */*\r\n")
                .containsIgnoringCase("connection: close\r\n");
        assertThat(shaken).containsExactly(API + " http/1.1");
        assertThat(reached).containsExactly(new InetSocketAddress(InetAddresses.forString("1.2.3.4"), 443));
        assertThat(ledger.lines()).containsExactly("allowed api.example.com:443");
        await().untilAsserted(() -> assertThat(ledger.transfers()).hasSize(1));
    }

    @Test
    void plainRequestsToItsHostNeedNoProxySetting() throws Exception {
        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 200 OK\r\n");

        assertThat(secured.requests()).hasSize(1).allMatch(head -> head.contains("Bearer " + SECRET));
    }

    @Test
    void aKeptConnectionBringsItWithEachRequest() throws Exception {
        try (Socket client = inside.connect(gateway.httpAddress())) {
            for (int i = 0; i < 3; i++) {
                Internet.write(client, "GET /" + i + " HTTP/1.1\r\nHost: " + API + "\r\n\r\n");
                Internet.head(client.getInputStream());
                client.getInputStream().readNBytes(5);
            }
        }
        assertThat(secured.requests()).hasSize(3).allMatch(head -> head.contains("Bearer " + SECRET));
    }

    @Test
    void theAgentsOwnValueOfTheHeaderIsNotSent() throws Exception {
        List<String> bodies = new CopyOnWriteArrayList<>();
        secured.converses(socket -> {
            String head = Internet.head(socket.getInputStream());
            bodies.add(head + Internet.head(socket.getInputStream()));
            Internet.write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });

        String answer = inside.answer(
                gateway.proxyAddress(),
                String.join(
                        "\r\n",
                        "POST http://api.example.com/ HTTP/1.1",
                        "Host: api.example.com",
                        "Authorization: Bearer mine",
                        "AUTHORIZATION: Basic mine",
                        "X_Api-Key: mine",
                        "x-api_key: mine",
                        "Connection: close, authorization, x-api-key",
                        "Trailer: Authorization",
                        "Transfer-Encoding: chunked",
                        "",
                        "4",
                        "body",
                        "0",
                        "Authorization: mine",
                        "X_API_KEY: mine",
                        "X-Checksum: 7",
                        "\r\n"));

        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n");
        assertThat(bodies).hasSize(1);
        assertThat(bodies.get(0))
                .doesNotContain("mine")
                .contains("4\r\nbody\r\n0\r\n")
                .contains("\r\nauthorization: Bearer " + SECRET + "\r\n")
                .contains("\r\nx-api-key: " + SECRET + "-2\r\n");
    }

    @Test
    void noOtherHostReceivesTheSecret() throws Exception {
        // another host, another sandbox
        assertThat(inside.answer(gateway.httpAddress(), get("/", "a.example.org")))
                .startsWith("HTTP/1.1 200 OK");
        try (Socket other = new Inside(neighbour).connect(gateway.httpAddress())) {
            Internet.write(other, get("/", API));
            Internet.head(other.getInputStream());
        }

        assertThat(plain.requests()).hasSize(2).noneMatch(head -> head.contains(SECRET));
        assertThat(secured.requests()).isEmpty();
    }

    @Test
    void aRedirectIsLeftToTheAgentAndCarriesNoSecret() throws Exception {
        secured.converses(socket -> {
            Internet.head(socket.getInputStream());
            Internet.write(
                    socket,
                    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://a.example.org/\r\nContent-Length: 0\r\n\r\n");
        });

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 307 ");
        assertThat(plain.requests()).isEmpty();
        assertThat(inside.answer(gateway.httpAddress(), get("/", "a.example.org")))
                .startsWith("HTTP/1.1 200 OK");
        assertThat(plain.requests()).hasSize(1).noneMatch(head -> head.contains(SECRET));
    }

    @ParameterizedTest
    @ValueSource(strings = {"other", "stranger", "expired"})
    void aHostWithTheWrongCertificateReceivesNothing(String certificate) throws Exception {
        shows(certificate);

        assertThat(inside.answer(gateway.httpAddress(), get("/", API)))
                .startsWith("HTTP/1.1 502 ")
                .contains("no certificate of that name");
        assertThat(secured.requests()).isEmpty();
        assertThat(ledger.lines()).contains("denied api.example.com:443 UNREACHABLE");
    }

    @Test
    void anAuthorityThatTheOperatorDoesNotNameIsNotTrusted() throws Exception {
        start("");

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 502 ");
        assertThat(secured.requests()).isEmpty();
    }

    @Test
    void aHostWithoutTlsReceivesNothing() throws Exception {
        List<String> heard = new CopyOnWriteArrayList<>();
        secured.close();
        secured = new Internet();
        secured.converses(socket -> {
            Internet.write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            heard.add(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1));
        });

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 502 ");
        await().untilAsserted(() -> assertThat(heard).hasSize(1).noneMatch(words -> words.contains(SECRET)));
    }

    @Test
    void waitingForAHostThatNeverAnswersIsLimited() throws Exception {
        start(TRUSTING + "\n connect-timeout = 300ms");
        secured.close();
        secured = new Internet();
        secured.converses(socket -> socket.getInputStream().readAllBytes());

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 502 ");
    }

    @Test
    void aHostWithAnInternalAddressReceivesNothing() throws Exception {
        upstream.has(API, "10.0.0.1");

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).startsWith("HTTP/1.1 403 ");
        assertThat(reached).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n",
                "CONNECT API.example.com.:443 HTTP/1.1\r\n\r\n",
                "CONNECT api.example.com:80 HTTP/1.1\r\nHost: api.example.com:80\r\n\r\n",
                "CONNECT API.example.com.:8080 HTTP/1.1\r\n\r\n",
                "CONNECT 1.2.3.4:443 HTTP/1.1\r\n\r\n",
                "GET http://1.2.3.4:8080/ HTTP/1.1\r\nHost: 1.2.3.4:8080\r\n\r\n",
                "GET http://api.example.com:8080/ HTTP/1.1\r\nHost: api.example.com:8080\r\n\r\n",
                "GET http://api.example.com:443/ HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n",
                "TRACE http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "track http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
            })
    void itsHostIsReachedInNoOtherWay(String request) throws Exception {
        assertThat(inside.answer(gateway.proxyAddress(), request)).startsWith("HTTP/1.1 403 ");
        assertThat(reached).isEmpty();
        assertThat(ledger.lines()).hasSize(1).allMatch(line -> line.matches("denied .* NOT_LISTED"));
    }

    @Test
    void aTunnelToAnAddressDoesNotNameItsHostEither() throws Exception {
        for (String named : List.of(get("/", API), get("http://" + API + "/", "a.example.org"))) {
            try (Socket client = inside.connect(gateway.proxyAddress())) {
                Internet.write(client, "CONNECT 1.2.3.5:80 HTTP/1.1\r\n\r\n");
                assertThat(Internet.head(client.getInputStream())).startsWith("HTTP/1.1 200 ");
                Internet.write(client, named);
                assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .startsWith("HTTP/1.1 400 ");
            }
        }
        assertThat(plain.requests()).isEmpty();
    }

    @Test
    void theAgentsOwnTlsToItsHostEndsWithAnAlert() throws Exception {
        try (Socket client = inside.connect(gateway.tlsAddress())) {
            client.getOutputStream().write(GatewayTest.hello(API));
            assertThat(client.getInputStream().readAllBytes()).containsExactly(21, 3, 1, 0, 2, 2, 49);
        }
        assertThat(reached).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET http://a.example.org/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nHost: a.example.org\r\n\r\n",
                "GET http://api.example.com@a.example.org/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "GET http://a.example.org\\@api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "GET http://api.example.com#@a.example.org/ HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
                "GET https://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
                "POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\nbody",
                "POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nX: y\nHost: a.example.org\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nAuthorization : mine\r\n\r\n",
                "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nX\rAuthorization: mine\r\n\r\n"
            })
    void ambiguousRequestsInATunnelAreDenied(String request) throws Exception {
        assertThat(inside.answer(gateway.proxyAddress(), request)).startsWith("HTTP/1.1 400 ");
        assertThat(reached).isEmpty();
    }

    @Test
    void aFoldedLineStaysTheValueThatItContinues() throws Exception {
        inside.answer(
                gateway.proxyAddress(),
                String.join(
                        "\r\n",
                        "GET http://api.example.com/ HTTP/1.1",
                        "Host: api.example.com",
                        "X: y",
                        " Authorization: mine",
                        "Connection: close",
                        "\r\n"));

        assertThat(secured.requests()).noneMatch(head -> head.contains("\r\nAuthorization: mine"));
    }

    @Test
    void aRequestBehindAnotherIsJudgedByItself() throws Exception {
        String all =
                inside.answer(gateway.httpAddress(), kept("/1", API) + kept("/2", "a.example.org") + get("/3", API));

        assertThat(all.split("HTTP/1.1 200 OK", -1)).hasSize(4);
        assertThat(secured.requests()).hasSize(2).allMatch(head -> head.contains(SECRET));
        assertThat(plain.requests()).hasSize(1).noneMatch(head -> head.contains(SECRET));
    }

    @Test
    void bodiesArePassedInBothDirectionsAndASlowReaderSlowsDownTheHost() throws Exception {
        int size = 48 << 20;
        AtomicLong sent = new AtomicLong();
        secured.converses(socket -> {
            Internet.head(socket.getInputStream());
            long body = socket.getInputStream().readNBytes(1 << 20).length;
            Internet.write(socket, "HTTP/1.1 200 OK\r\nX-Body: " + body + "\r\nContent-Length: " + size + "\r\n\r\n");
            byte[] block = new byte[1 << 16];
            while (sent.get() < size) {
                socket.getOutputStream().write(block);
                sent.addAndGet(block.length);
            }
        });
        try (Socket client = inside.connect(gateway.httpAddress())) {
            Internet.write(
                    client, "POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: " + (1 << 20) + "\r\n\r\n");
            client.getOutputStream().write(new byte[1 << 20]);
            InputStream in = client.getInputStream();
            assertThat(Internet.head(in)).contains("X-Body: " + (1 << 20));
            await().during(Duration.ofMillis(500))
                    .atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(sent.get()).isLessThan(size / 2));
            long rest = 0;
            for (byte[] part = in.readNBytes(1 << 20); part.length > 0 && rest < size; part = in.readNBytes(1 << 20)) {
                rest += part.length;
                if (rest == size) {
                    break;
                }
            }
            assertThat(rest).isEqualTo(size);
        }
    }

    @Test
    void aSandboxThatIsGoneHasNoSecretsAnyMore() throws Exception {
        sandboxes.at(sandbox).orElseThrow().secrets().wipe();
        sandboxes.entrust(sandbox, Map.of("API_KEY", SECRET, "OTHER_KEY", SECRET));

        assertThat(inside.answer(gateway.httpAddress(), get("/", API))).isEmpty();
        assertThat(secured.requests()).isEmpty();
    }

    @Test
    void authoritiesThatCannotBeReadKeepTheNodeFromStarting() {
        assertThatThrownBy(() -> start("extra-authorities = /no/such/file"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("vivarium.egress.gateway.extra-authorities")
                .hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> start("extra-authorities = /dev/null"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("holds no certificate");
    }

    private static EgressPolicy policy(List<String> allow, InjectedHeader... inject) {
        return new EgressPolicy(
                EgressPolicy.Mode.ALLOWLIST,
                allow.stream().map(EgressDestination::parse).toList(),
                List.of(inject));
    }

    private static String kept(String path, String host) {
        return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    }

    private static String get(String path, String host) {
        return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    }

    private static Path tls(String name) {
        try {
            return Path.of(InjectedHeadersTest.class
                    .getResource("/tls/" + name + ".pem")
                    .toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private ServerSocket withTls(String certificate) throws IOException {
        File pem = tls(certificate).toFile();
        JdkSslContext context = (JdkSslContext) SslContextBuilder.forServer(pem, pem)
                .sslProvider(SslProvider.JDK)
                .build();
        SSLServerSocket socket =
                (SSLServerSocket) context.context().getServerSocketFactory().createServerSocket();
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
        socket.setSSLParameters(parameters);
        return new ToldOf(socket);
    }

    /** Notes the name and the protocol of each handshake. */
    private final class ToldOf extends ServerSocket {
        private final SSLServerSocket socket;

        ToldOf(SSLServerSocket socket) throws IOException {
            this.socket = socket;
        }

        @Override
        public void bind(java.net.SocketAddress address) throws IOException {
            socket.bind(address);
        }

        @Override
        public java.net.SocketAddress getLocalSocketAddress() {
            return socket.getLocalSocketAddress();
        }

        @Override
        public Socket accept() throws IOException {
            SSLSocket peer = (SSLSocket) socket.accept();
            peer.addHandshakeCompletedListener(done -> shaken.add(Stream.of(done.getSession())
                            .map(ExtendedSSLSession.class::cast)
                            .flatMap(session -> session.getRequestedServerNames().stream())
                            .map(name -> new String(name.getEncoded(), StandardCharsets.US_ASCII))
                            .findFirst()
                            .orElse("nobody")
                    + " " + peer.getApplicationProtocol()));
            return peer;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
