package dev.vivarium.node.http.tls;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.http.server.Encryption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS of the API, in versions 1.2 and 1.3, with the cipher suites that have forward secrecy and authenticated encryption
 * (RFC 9325). Replaced files are used by the connections that begin after {@link #refresh}; those that are open keep the
 * certificate of their handshake. Files of no use change nothing: the node goes on with what it had, and says why.
 * Thread-safe.
 */
public final class ServerTls implements Encryption {
    private static final Logger LOG = LoggerFactory.getLogger(ServerTls.class);
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final Duration ENDS_SOON = Duration.ofDays(7);

    private final TlsFiles files;
    private final Optional<ClientCertificates> clients;
    private final Clock clock;
    private volatile TlsIdentity identity;
    /** The last notice to the operator: what stays as it is is told once. */
    private volatile String said = "";

    private ServerTls(TlsFiles files, Optional<ClientCertificates> clients, Clock clock, TlsIdentity identity) {
        this.clients = clients;
        this.files = files;
        this.clock = clock;
        this.identity = identity;
    }

    /**
     * Reads the files.
     *
     * @param clients lets clients present certificates; empty where none are asked for
     * @throws NodeStartException with a sentence for the operator when they are of no use
     */
    public static ServerTls of(TlsFiles files, Optional<ClientCertificates> clients, Clock clock)
            throws NodeStartException {
        ServerTls tls = new ServerTls(files, clients, clock, files.read(clock.instant(), clients));
        tls.sayWhenItEndsSoon();
        return tls;
    }

    /** Reads the files again. Blocks while it does. */
    public void refresh() {
        try {
            TlsIdentity next = files.read(clock.instant(), clients);
            if (!next.chain().equals(identity.chain())) {
                identity = next;
                LOG.info("The API uses the certificate that is valid until {} from now on.", next.expiresAt());
            }
            sayWhenItEndsSoon();
        } catch (NodeStartException useless) {
            if (isNews(String.valueOf(useless.getMessage()))) {
                LOG.error("The API goes on with the certificate that is valid until {}: {}", expiresAt(), said);
            }
        }
    }

    private void sayWhenItEndsSoon() {
        Instant end = expiresAt();
        if (clock.instant().isAfter(end.minus(ENDS_SOON)) && isNews("ends at " + end)) {
            LOG.warn(
                    "The API's certificate {}: replace {} and {}; no restart is needed.",
                    said,
                    files.certificate(),
                    files.key());
        }
    }

    private boolean isNews(String notice) {
        boolean news = !notice.equals(said);
        said = notice;
        return news;
    }

    @Override
    public SSLEngine engine() {
        SSLEngine engine = identity.context().createSSLEngine();
        engine.setUseClientMode(false);
        // Asked for and not required: callers with tokens have none.
        engine.setWantClientAuth(clients.isPresent());
        engine.setEnabledProtocols(PROTOCOLS);
        engine.setEnabledCipherSuites(Arrays.stream(engine.getSupportedCipherSuites())
                .filter(ServerTls::isStrong)
                .toArray(String[]::new));
        return new OneSidedClose(engine);
    }

    private static boolean isStrong(String suite) {
        boolean authenticated = suite.contains("_GCM_") || suite.contains("_CHACHA20_POLY1305_");
        boolean ofVersion13 = suite.startsWith("TLS_AES_") || suite.startsWith("TLS_CHACHA20_");
        return authenticated && (ofVersion13 || suite.startsWith("TLS_ECDHE_"));
    }

    @Override
    public Set<String> names() {
        return identity.names();
    }

    /** When the certificate in use ends. */
    public Instant expiresAt() {
        return identity.expiresAt();
    }
}
