package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.vivarium.node.NodeCutOffException;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.assembly.LocalNode;
import dev.vivarium.node.certificates.Authority;
import dev.vivarium.node.certificates.ProvenKey;
import dev.vivarium.node.doubles.NodeCertificates;
import dev.vivarium.node.doubles.SharedStore;
import dev.vivarium.node.joining.Newcomer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Only peers with a certificate of the cluster's authority, in its time, for its name and not revoked, are let in. */
@Timeout(300)
class ClusterTlsTest {
    /** What a peer sends first: Artery's mark, the stream of control messages, and the length of one, little-endian. */
    private static final byte[] STREAM_BEGINS = {'A', 'K', 'K', 'A', 1, 0x10, 0x27, 0, 0};

    private static final int SILENCE_MILLIS = 300;
    private static final KeyManager[] NOBODY = {};

    @TempDir
    private static Path folder;

    private static final ListAppender<ILoggingEvent> LOG = new ListAppender<>();
    private static NodeCertificates certificates;
    private static SharedStore store;
    private static LocalNode first;
    private static int port;

    @BeforeAll
    static void aClusterOfOne() throws Exception {
        LOG.start();
        ((Logger) LoggerFactory.getLogger(ClusterTls.class)).addAppender(LOG);
        certificates = new NodeCertificates(folder.resolve("authority"));
        store = new SharedStore();
        port = Newcomer.freePort();
        Map<String, String> settings = new HashMap<>(certificates.of("first"));
        settings.put("vivarium.cluster.port", Integer.toString(port));
        settings.put("vivarium.cluster.node-name", "first");
        first = LocalNode.start(options(settings, Duration.ofSeconds(30)));
    }

    @AfterAll
    static void stop() throws IOException {
        ((Logger) LoggerFactory.getLogger(ClusterTls.class)).detachAppender(LOG);
        first.close();
        store.close();
    }

    @Test
    void aNodeWithACertificateOfTheAuthorityJoinsAndIsRemovedWhenThatIsRevoked() throws Exception {
        Map<String, String> settings = certificates.of("second");
        try (LocalNode second = LocalNode.start(options(settings, Duration.ofSeconds(30)))) {
            Authority authority = certificates.authority();

            authority.revoke(
                    authority.issued("second").orElseThrow().certificate().getSerialNumber());

            assertThatThrownBy(() -> second.terminated().toCompletableFuture().get(60, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(NodeCutOffException.class);
            assertThat(first.terminated().toCompletableFuture()).isNotDone();
        }
    }

    @Test
    void aNodeWithoutTlsDoesNotJoin() {
        refused(Map.of()).hasMessageContaining("No cluster took this node in within 3 s");
    }

    @Test
    void aNodeOfAnotherAuthorityDoesNotJoinAndSaysWhomItRefuses() throws Exception {
        refused(new NodeCertificates(folder.resolve("foreign")).of("stranger"))
                .hasMessageContaining("No cluster took this node in within 3 s")
                .hasMessageContaining("This node has refused one: the certificate ")
                .hasMessageContaining("CN=first,O=Vivarium was not issued for this by an authority of this node");
    }

    @Test
    void certificatesOfAnotherAuthorityAreRefusedAtTheDoor() throws Exception {
        NodeCertificates foreign = new NodeCertificates(folder.resolve("other"));
        foreign.of("first");

        assertIsRefused(keys(foreign, "first"), "was not issued for this by an authority of this node");
    }

    @Test
    void aCertificateWithoutANameInCommonIsRefused() throws Exception {
        NodeCertificates another = new NodeCertificates(folder.resolve("another"), "another cluster");
        another.of("node");
        certificates.of("printer");

        PeerTrust ofAnother =
                PeerTrust.read(certificates.authority().certificateFile(), Optional.empty(), key(another, "node"));

        assertThat(ofAnother
                        .objection(key(certificates, "printer").own(), Instant.now())
                        .orElseThrow())
                .startsWith("is for ")
                .endsWith("nodes of a cluster have a name in common");
    }

    @Test
    void anExpiredCertificateIsRefusedAtTheDoor() throws Exception {
        certificates.expired("old");
        KeyManager[] old = ProvenKey.read(
                        certificates.authority().certificateFile("old"),
                        certificates.authority().keyFile("old"),
                        Instant.now().minus(Duration.ofDays(300)))
                .keyManagers();

        assertIsRefused(old, "has expired at ");
    }

    @Test
    void aClientWithoutACertificateIsRefused() throws Exception {
        assertThat(isLetIn(NOBODY)).isFalse();
    }

    @Test
    void aRevokedCertificateIsRefusedAtTheDoorAndLosesItsConnections() throws Exception {
        certificates.of("stolen");
        try (SSLSocket open = connected(keys(certificates, "stolen"))) {
            assertThat(isLetIn(open)).isTrue();
            open.getOutputStream().write(STREAM_BEGINS);
            assertThat(hasEnded(open)).isFalse();
            Authority authority = certificates.authority();

            authority.revoke(
                    authority.issued("stolen").orElseThrow().certificate().getSerialNumber());

            await().untilAsserted(() -> assertIsRefused(keys(certificates, "stolen"), "is revoked"));
            await().until(() -> hasEnded(open));
        }
    }

    @Test
    void aReplacedCertificateIsUsedAndThoseOfBeforeStayLetIn() throws Exception {
        certificates.of("steady");
        try (SSLSocket open = connected(keys(certificates, "steady"))) {
            Authority authority = certificates.authority();

            X509Certificate renewed = authority.renew(authority.issued("first").orElseThrow());

            await().untilAsserted(() -> {
                try (SSLSocket next = connected(keys(certificates, "steady"))) {
                    assertThat(next.getSession().getPeerCertificates()[0]).isEqualTo(renewed);
                    assertThat(isLetIn(next)).isTrue();
                }
            });
            assertThat(isLetIn(open)).isTrue();
        }
    }

    @Test
    void filesOfNoUseAreReportedAtTheStart() throws Exception {
        Map<String, String> good = certificates.of("good");
        Map<String, String> other = new NodeCertificates(folder.resolve("third")).of("other");
        String nothing =
                Files.writeString(folder.resolve("nothing.pem"), "nothing").toString();

        refused(with(good, "key", "")).hasMessageContaining("vivarium.cluster.tls.key is empty");
        refused(with(good, "key", "/nowhere.pem")).hasMessageContaining("/nowhere.pem cannot be read");
        refused(with(good, "key", nothing)).hasMessageContaining("must contain the private key");
        refused(with(good, "certificate", nothing)).hasMessageContaining("must contain X.509 certificates");
        refused(with(good, "authority", nothing)).hasMessageContaining("must contain X.509 certificates");
        refused(with(good, "revoked", nothing)).hasMessageContaining("must contain a list of revoked certificates");
        refused(with(good, "key", other.get("vivarium.cluster.tls.key"))).hasMessageContaining("is not the key of");
        refused(with(good, "authority", other.get("vivarium.cluster.tls.authority")))
                .hasMessageContaining("was not issued by an authority in");
        refused(with(good, "revoked", other.get("vivarium.cluster.tls.revoked")))
                .hasMessageContaining("was not issued by an authority in");
        refused(certificates.expired("late")).hasMessageContaining("which is not now");
        Authority authority = certificates.authority();
        authority.revoke(authority.issued("good").orElseThrow().certificate().getSerialNumber());
        refused(good).hasMessageContaining("is revoked by").hasMessageContaining("vivarium certificates renew");
    }

    private static Map<String, String> with(Map<String, String> settings, String which, String file) {
        Map<String, String> changed = new HashMap<>(settings);
        changed.put("vivarium.cluster.tls." + which, file);
        return changed;
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(Map<String, String> changed) {
        return assertThatThrownBy(() ->
                        LocalNode.start(options(changed, Duration.ofSeconds(3))).close())
                .isInstanceOf(NodeStartException.class);
    }

    private static NodeOptions options(Map<String, String> changed, Duration joinTimeout) {
        Map<String, String> all = new HashMap<>(changed);
        all.put("vivarium.cluster.join-timeout", joinTimeout.toSeconds() + "s");
        return Newcomer.options(store, port, folder.resolve("data"), all);
    }

    // ---- a peer at the cluster's port

    private static ProvenKey key(NodeCertificates of, String name) throws NodeStartException {
        return ProvenKey.read(
                of.authority().certificateFile(name), of.authority().keyFile(name), Instant.now());
    }

    private static KeyManager[] keys(NodeCertificates of, String name) throws NodeStartException {
        return key(of, name).keyManagers();
    }

    private static void assertIsRefused(KeyManager[] keys, String reason) throws Exception {
        assertThat(isLetIn(keys)).isFalse();
        await().untilAsserted(() -> assertThat(List.copyOf(LOG.list))
                .extracting(ILoggingEvent::getFormattedMessage)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("A node is refused: the certificate ")
                        .contains(reason)));
    }

    /** A node that refuses closes the connection, and the client may still be writing its side of the handshake. */
    private static boolean isLetIn(KeyManager[] keys) throws Exception {
        try (SSLSocket socket = connected(keys)) {
            return isLetIn(socket);
        } catch (SSLException | SocketException refused) {
            return false;
        }
    }

    /** In TLS 1.3 a client learns by its first read whether its certificate is accepted; a node says nothing to it then. */
    private static boolean isLetIn(SSLSocket socket) throws IOException {
        socket.setSoTimeout(SILENCE_MILLIS);
        try {
            return socket.getInputStream().read() >= 0;
        } catch (SocketTimeoutException silent) {
            return true;
        }
    }

    /** Goes on within the message that the stream has begun with, so that nothing but the certificate is a reason to end it. */
    private static boolean hasEnded(SSLSocket socket) {
        try {
            socket.getOutputStream().write(0);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException silent) {
            return false;
        } catch (IOException ended) {
            return true;
        }
    }

    private static SSLSocket connected(KeyManager[] keys) throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLSv1.3");
        trusting.init(keys, new TrustManager[] {new Trusting()}, new SecureRandom());
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        SSLSocket tls = (SSLSocket) trusting.getSocketFactory().createSocket(plain, "first", port, true);
        tls.startHandshake();
        return tls;
    }

    /** Trusts every certificate, so that the test can inspect the one presented. */
    private static final class Trusting implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
