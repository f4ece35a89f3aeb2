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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
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

    private SSLSocket connected() throws Exception {
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
        SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), api.port());
        socket.setSoTimeout((int) Duration.ofSeconds(30).toMillis());
        return socket;
    }
}
