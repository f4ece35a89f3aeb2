package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.assembly.LocalNode;
import dev.vivarium.node.doubles.SharedStore;
import dev.vivarium.node.joining.Newcomer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
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

/** With TLS between nodes, only peers with a certificate of the cluster's authority for the cluster's name can join. */
@Timeout(300)
class ClusterTlsTest {
    private static final String NAME = "nodes.vivarium.test";

    @TempDir
    private static Path folder;

    private static TestAuthority authority;
    private static SharedStore store;
    private static LocalNode first;
    private static int port;

    @BeforeAll
    static void aClusterOfOneThatSpeaksTlsOnly() throws Exception {
        authority = new TestAuthority(folder.resolve("authority"));
        store = new SharedStore();
        port = Newcomer.freePort();
        Map<String, String> settings = new HashMap<>(authority.node("first", NAME));
        settings.put("vivarium.cluster.port", Integer.toString(port));
        settings.put("vivarium.cluster.node-name", "first");
        first = LocalNode.start(options(settings, Duration.ofSeconds(30)));
    }

    @AfterAll
    static void stop() throws IOException {
        first.close();
        store.close();
    }

    @Test
    void aNodeWithAnotherCertificateOfTheAuthorityJoins() throws Exception {
        LocalNode.start(options(authority.node("second", NAME), Duration.ofSeconds(30)))
                .close();
    }

    @Test
    void aNodeWithoutTlsDoesNotJoin() {
        keptOut(Map.of());
    }

    @Test
    void aNodeWithACertificateOfAnotherAuthorityDoesNotJoin() throws Exception {
        keptOut(new TestAuthority(folder.resolve("other")).node("stranger", NAME));
    }

    @Test
    void aNodeWithACertificateForAnotherNameDoesNotJoin() throws Exception {
        keptOut(authority.node("printer", "printer.vivarium.test"));
    }

    @Test
    void aClientWithoutACertificateIsRefused() throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLSv1.3");
        trusting.init(null, new TrustManager[] {new Trusting()}, new SecureRandom());
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
                SSLSocket tls = (SSLSocket) trusting.getSocketFactory().createSocket(plain, "first", port, true)) {
            tls.startHandshake();
            assertThat(((X509Certificate) tls.getSession().getPeerCertificates()[0])
                            .getSubjectX500Principal()
                            .getName())
                    .isEqualTo("CN=" + NAME);

            assertThatThrownBy(() -> tls.getInputStream().read())
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("certificate");
        }
    }

    @Test
    void invalidFilesAreReportedAtTheStart() throws Exception {
        Map<String, String> good = authority.node("good", NAME);
        Map<String, String> other = new TestAuthority(folder.resolve("third")).node("other", NAME);
        String nothing =
                Files.writeString(folder.resolve("nothing.pem"), "nothing").toString();

        refused(with(good, "key", "/nowhere.pem")).hasMessageContaining("vivarium.cluster.tls.key is \"/nowhere.pem\"");
        refused(with(good, "key", nothing))
                .hasMessageContaining("vivarium.cluster.tls.key (" + nothing + ") must contain an RSA key");
        refused(with(good, "certificate", nothing)).hasMessageContaining("must contain an X.509 certificate");
        refused(with(good, "authority", nothing)).hasMessageContaining("must contain an X.509 certificate");
        refused(with(good, "key", other.get("vivarium.cluster.tls.key"))).hasMessageContaining("is not the key of");
        refused(with(good, "authority", other.get("vivarium.cluster.tls.authority")))
                .hasMessageContaining("was not issued by");
        refused(authority.nodeWithExpiredCertificate("old", NAME)).hasMessageContaining("which is not now");
    }

    private static Map<String, String> with(Map<String, String> settings, String which, String file) {
        Map<String, String> changed = new HashMap<>(settings);
        changed.put("vivarium.cluster.tls." + which, file);
        return changed;
    }

    private static void keptOut(Map<String, String> changed) {
        refused(changed).hasMessageContaining("No cluster took this node in within 3 s");
        assertThat(first.terminated().toCompletableFuture()).isNotDone();
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
