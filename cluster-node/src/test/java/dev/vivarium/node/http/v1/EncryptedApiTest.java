package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.client.Trust;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.http.tls.ServerTls;
import dev.vivarium.node.http.tls.TestCertificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The API over TLS: who listens on the way reads nothing, and certificates are replaced while it serves. */
class EncryptedApiTest {
    @TempDir
    private Path folder;

    private TestCertificates certificates;
    private X509Certificate first;
    private ServerTls tls;
    private TestApi api;

    @BeforeEach
    void aNodeWithACertificate() throws NodeStartException {
        certificates = new TestCertificates(folder);
        first = certificates.issue("localhost", "127.0.0.1", "node.example.com", "*.pool.example.com");
        tls = ServerTls.of(certificates.files(), Optional.empty(), Clock.systemUTC());
        api = new TestApi("request-wait = 1s", Optional.of(tls));
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void aClientThatTrustsTheAuthorityIsServed() throws Exception {
        assertThat(client(Trust.in(certificates.authorityFile()))
                        .runs(List.of())
                        .path("runs")
                        .size())
                .isZero();
    }

    @Test
    void aClientThatDoesNotTrustItSaysSo() {
        assertThatThrownBy(() -> client(Trust.JAVA).runs(List.of()))
                .isInstanceOf(ApiException.NodeUnreachable.class)
                .hasMessageContaining("VIVARIUM_AUTHORITY");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void bothCurrentVersionsAreSpoken(String version) throws Exception {
        assertThat(get(version, "localhost")).startsWith("HTTP/1.1 200");
    }

    @Test
    void anEndedVersionIsNotSpoken() {
        assertThatThrownBy(() -> get("TLSv1.1", "localhost")).isInstanceOf(SSLException.class);
    }

    @Test
    void clearTextIsNotAnswered() throws IOException {
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
            plain.getOutputStream()
                    .write("GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(new String(plain.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                    .doesNotContain("HTTP");
        }
    }

    @Test
    void aConnectionWithoutAHandshakeIsClosed() throws IOException {
        try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
            silent.setSoTimeout(30_000);

            // An alert of TLS at most, and then the end: a read that waits for longer fails.
            assertThat(silent.getInputStream().readAllBytes()).hasSizeLessThan(16);
        }
    }

    @Test
    void aClientThatNeverClosesIsClosed() throws Exception {
        try (SSLSocket idle = connected()) {
            idle.startHandshake();

            assertThat(idle.getInputStream().read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"node.example.com", "one.pool.example.com", "localhost"})
    void theNamesOfTheCertificateAreTheNodesNames(String name) throws Exception {
        assertThat(get("TLSv1.3", name)).startsWith("HTTP/1.1 200");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rebound.example.net", "pool.example.com", "a.one.pool.example.com"})
    void otherNamesAreNot(String name) throws Exception {
        assertThat(get("TLSv1.3", name)).startsWith("HTTP/1.1 421");
    }

    @Test
    void requestsOfOneConnectionAreServedAtOnceOverHttp2() throws Exception {
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_2)
                .sslContext(trusting())
                .build();
        byte[] content = new byte[3 << 20];
        String digest =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));

        HttpResponse<String> stored = http.send(
                request("/v1/blobs/" + digest)
                        .PUT(BodyPublishers.ofByteArray(content))
                        .build(),
                BodyHandlers.ofString());
        List<CompletableFuture<HttpResponse<String>>> lists = Stream.generate(
                        () -> http.sendAsync(request("/v1/runs").build(), BodyHandlers.ofString()))
                .limit(20)
                .toList();
        HttpResponse<Void> head = http.send(
                request("/openapi.yaml").method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.discarding());
        HttpResponse<String> stranger = http.send(
                HttpRequest.newBuilder(URI.create("https://localhost:" + api.port() + "/v1/runs"))
                        .POST(BodyPublishers.ofString("{}"))
                        .build(),
                BodyHandlers.ofString());

        assertThat(stored.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(stored.statusCode()).isEqualTo(201);
        assertThat(lists)
                .allSatisfy(list -> assertThat(list.join().statusCode()).isEqualTo(200));
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(stranger.statusCode()).isEqualTo(401);
    }

    @Test
    void aConnectionOfHttp2WithoutRequestsIsClosedAndOneThatFloodsAtOnce() throws Exception {
        try (SSLSocket silent = http2();
                SSLSocket flooding = http2()) {
            byte[] pings = new byte[17 * 3_000];
            for (int at = 0; at < pings.length; at += 17) {
                pings[at + 2] = 8;
                pings[at + 3] = 6;
            }
            flooding.getOutputStream().write(pings);

            assertThat(new String(flooding.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                    .contains("Too many frames that carry nothing");
            assertThat(silent.getInputStream().readAllBytes()).hasSizeBetween(20, 100);
            await().until(() -> api.connections() == 0);
        }
    }

    private SSLSocket http2() throws Exception {
        SSLSocket socket = connected();
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.getOutputStream()
                .write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("https://localhost:" + api.port() + path))
                .header("Authorization", "Bearer " + api.local);
    }

    @Test
    void aReplacedCertificateIsUsedWithoutAFailedRequest() throws Exception {
        AtomicInteger served = new AtomicInteger();
        AtomicReference<X509Certificate> seen = new AtomicReference<>(first);
        CompletableFuture<Void> clients = CompletableFuture.runAsync(() -> {
            try {
                while (seen.get().equals(first) || served.get() < 50) {
                    seen.set(presented());
                    served.incrementAndGet();
                }
            } catch (Exception failed) {
                throw new AssertionError("After " + served + " connections: " + failed, failed);
            }
        });
        await().until(() -> served.get() > 10 || clients.isDone());
        X509Certificate second = certificates.issue("localhost", "127.0.0.1");
        tls.refresh();

        clients.join();
        assertThat(seen.get()).isEqualTo(second);
        assertThat(tls.expiresAt()).isEqualTo(second.getNotAfter().toInstant());
    }

    @Test
    void filesOfNoUseChangeNothing() throws Exception {
        Files.writeString(certificates.files().key(), "half a fi");
        tls.refresh();

        assertThat(presented()).isEqualTo(first);

        X509Certificate second = certificates.issue("localhost");
        tls.refresh();
        assertThat(presented()).isEqualTo(second);
    }

    private ApiClient client(Trust trust) {
        return new ApiClient(
                URI.create("https://localhost:" + api.port()), Credentials.of(api.local), trust, RetryPolicy.DEFAULT);
    }

    private X509Certificate presented() throws Exception {
        try (SSLSocket socket = connected()) {
            ask(socket, "localhost");
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private String get(String version, String host) throws Exception {
        try (SSLSocket socket = connected()) {
            socket.setEnabledProtocols(new String[] {version});
            return ask(socket, host);
        } catch (SSLHandshakeException | IllegalArgumentException refused) {
            throw new SSLException(refused);
        }
    }

    private static String ask(SSLSocket socket, String host) throws IOException {
        socket.getOutputStream()
                .write(("GET /health/alive HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private SSLContext trusting() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry(
                "authority",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(Files.newInputStream(certificates.authorityFile())));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private SSLSocket connected() throws Exception {
        SSLSocket socket =
                (SSLSocket) trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), api.port());
        socket.setSoTimeout((int) Duration.ofSeconds(30).toMillis());
        return socket;
    }
}
