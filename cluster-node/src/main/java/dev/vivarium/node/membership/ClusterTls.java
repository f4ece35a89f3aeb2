package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.ForwardingEngine;
import dev.vivarium.node.certificates.ProvenKey;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.apache.pekko.actor.setup.Setup;
import org.apache.pekko.remote.artery.tcp.SSLEngineProvider;
import org.apache.pekko.remote.artery.tcp.SSLEngineProviderSetup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * Mutual TLS 1.3 between nodes ({@code vivarium.cluster.tls}). Replaced files are used by the connections that begin after
 * {@link #refresh}; those that are open keep the certificates of their handshake, except that a revoked peer loses its. Files
 * of no use change nothing: the node goes on with what it had, and says why. Thread-safe.
 */
public final class ClusterTls implements SSLEngineProvider {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterTls.class);
    private static final String BLOCK = "vivarium.cluster.tls";
    private static final String CLEAR_TEXT = "vivarium.cluster.insecure-nodes-in-clear-text";
    private static final String[] PROTOCOLS = {"TLSv1.3"};
    private static final String[] SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
    private static final Duration ENDS_SOON = Duration.ofDays(7);
    /** A peer that is refused tries again each second. */
    private static final Duration SAY_AGAIN = Duration.ofMinutes(1);

    private static final int REFUSALS_REMEMBERED_MAX = 64;

    private final Path certificate;
    private final Path key;
    private final Path authority;
    private final Optional<Path> revoked;
    private final Clock clock;
    private volatile Current current;
    /** Counts the readings that have brought something new. */
    private final AtomicInteger readings = new AtomicInteger();

    /** The last notice to the operator: what stays as it is is told once. */
    private volatile String said = "";
    /** When each refusal was last told; guarded by itself. */
    private final Map<String, Instant> refusals = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Instant> eldest) {
            return size() > REFUSALS_REMEMBERED_MAX;
        }
    };

    private volatile Optional<String> lastRefusal = Optional.empty();
    private volatile Optional<Revocations> revocations = Optional.empty();

    /** What the files held when they were last of use. */
    private record Current(ProvenKey own, PeerTrust peers, SSLContext context) {}

    private ClusterTls(Config tls, Clock clock) throws NodeStartException {
        this.certificate = Path.of(tls.getString("certificate"));
        this.key = Path.of(tls.getString("key"));
        this.authority = Path.of(tls.getString("authority"));
        this.revoked = Optional.of(tls.getString("revoked"))
                .filter(file -> !file.isEmpty())
                .map(Path::of);
        this.clock = clock;
        this.current = readAcceptable();
    }

    /**
     * The TLS of a node's cluster; empty for a node alone, and where the operator has accepted clear text.
     *
     * @throws NodeStartException with a sentence for the operator when there is none, or when it is of no use
     */
    public static Optional<ClusterTls> of(Config config, ClusterSettings cluster, Clock clock)
            throws NodeStartException {
        if (!isOn(config, cluster)) {
            if (!cluster.isAlone()) {
                LOG.warn("Nodes speak without TLS: everyone who reaches the cluster's port can act as a node.");
            }
            return Optional.empty();
        }
        Config tls = config.getConfig(BLOCK);
        for (String file : new String[] {"certificate", "key", "authority"}) {
            if (tls.getString(file).isEmpty()) {
                throw new NodeStartException(BLOCK + "." + file
                        + " is empty: nodes of a cluster prove to each other who they are. Make certificates with"
                        + " `vivarium certificates init`, or accept that everyone who reaches the cluster's port can act"
                        + " as a node, with " + CLEAR_TEXT + " = on.");
            }
        }
        ClusterTls made = new ClusterTls(tls, clock);
        made.sayWhenItEndsSoon();
        return Optional.of(made);
    }

    /** The configuration of the actor system that it needs. Without the {@link #setup} no port is opened. */
    public static Config layer(Config config, ClusterSettings cluster) {
        return isOn(config, cluster)
                ? ConfigFactory.parseString("pekko.remote.artery.transport = tls-tcp")
                : ConfigFactory.empty();
    }

    private static boolean isOn(Config config, ClusterSettings cluster) {
        return !cluster.isAlone() && !config.getBoolean(CLEAR_TEXT);
    }

    /** What follows when members of the cluster have their certificates revoked. Called from any thread, and repeatedly. */
    public interface Revocations {
        /** A peer, by its host:port, presents a revoked certificate to a connection of this node. */
        void ofPeer(String place);

        /** This node has no other certificate than a revoked one. */
        void ofThisNode();
    }

    public void whenRevoked(Revocations listener) {
        revocations = Optional.of(listener);
    }

    /** How the actor system gets it. */
    public Setup setup() {
        return SSLEngineProviderSetup.create(system -> this);
    }

    private Current read() throws NodeStartException {
        ProvenKey own = ProvenKey.read(certificate, key, clock.instant());
        return new Current(own, PeerTrust.read(authority, revoked, own), context(own));
    }

    private Current readAcceptable() throws NodeStartException {
        Current read = read();
        requireAcceptable(read.own(), read.peers());
        return read;
    }

    /** What peers with the same files would refuse. */
    private void requireAcceptable(ProvenKey own, PeerTrust peers) throws NodeStartException {
        try {
            peers.authorities().chains().checkClientTrusted(own.chain().toArray(X509Certificate[]::new), "UNKNOWN");
            peers.authorities().chains().checkServerTrusted(own.chain().toArray(X509Certificate[]::new), "UNKNOWN");
        } catch (CertificateException another) {
            throw new NodeStartException(
                    certificate + " was not issued by an authority in " + authority
                            + " for server and client use, so other nodes refuse it.",
                    another);
        }
        if (peers.authorities().isRevoked(own.own())) {
            throw new NodeStartException(ownRevoked());
        }
    }

    private String ownRevoked() {
        return certificate + " is revoked by " + revoked.map(Path::toString).orElse("")
                + ", so other nodes refuse it: `vivarium certificates renew` issues another one.";
    }

    private SSLContext context(ProvenKey own) {
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(own.keyManagers(), new TrustManager[] {new Judge()}, null);
            return context;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every JDK has TLS 1.3.", impossible);
        }
    }

    /** Reads the files again. Blocks while it does. */
    public void refresh() {
        try {
            Current next = read();
            if (next.peers().authorities().isRevoked(next.own().own())) {
                if (isNews(ownRevoked())) {
                    LOG.error("This node leaves its cluster: {}", said);
                }
                revocations.ifPresent(Revocations::ofThisNode);
                return;
            }
            requireAcceptable(next.own(), next.peers());
            Current before = current;
            boolean renewed = !next.own().chain().equals(before.own().chain());
            boolean changed = renewed
                    || !next.peers()
                            .authorities()
                            .certificates()
                            .equals(before.peers().authorities().certificates())
                    || !next.peers()
                            .authorities()
                            .revocations()
                            .equals(before.peers().authorities().revocations());
            if (changed) {
                current = next;
                readings.incrementAndGet();
                LOG.info(
                        "This node proves itself to its cluster with the certificate {} that is valid until {}; {} are"
                                + " revoked.",
                        serial(next.own().own()),
                        next.own().expiresAt(),
                        next.peers().authorities().revoked());
            }
            sayWhenItEndsSoon();
        } catch (NodeStartException useless) {
            if (isNews(String.valueOf(useless.getMessage()))) {
                LOG.error(
                        "This node goes on with the cluster's certificate that is valid until {}: {}",
                        expiresAt(),
                        said);
            }
        }
    }

    private void sayWhenItEndsSoon() {
        Instant end = expiresAt();
        if (clock.instant().isAfter(end.minus(ENDS_SOON)) && isNews("ends at " + end)) {
            LOG.warn(
                    "This node's certificate within its cluster {}: replace {} and {} (`vivarium certificates renew`); no"
                            + " restart is needed.",
                    said,
                    certificate,
                    key);
        }
    }

    private boolean isNews(String notice) {
        boolean news = !notice.equals(said);
        said = notice;
        return news;
    }

    /** When the certificate in use ends. */
    public Instant expiresAt() {
        return current.own().expiresAt();
    }

    /** Why the last peer that was refused was refused, as a sentence. */
    public Optional<String> lastRefusal() {
        return lastRefusal;
    }

    @Override
    public SSLEngine createServerSSLEngine(String hostname, int port) {
        SSLEngine engine = engine(hostname, port);
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(true);
        return new Revocable(engine);
    }

    @Override
    public SSLEngine createClientSSLEngine(String hostname, int port) {
        SSLEngine engine = engine(hostname, port);
        engine.setUseClientMode(true);
        return new Revocable(engine);
    }

    private SSLEngine engine(String hostname, int port) {
        SSLEngine engine = current.context().createSSLEngine(hostname, port);
        engine.setEnabledProtocols(PROTOCOLS);
        engine.setEnabledCipherSuites(SUITES);
        return engine;
    }

    /** A resumed session has not seen the trust manager. */
    @Override
    public Option<Throwable> verifyClientSession(String hostname, SSLSession session) {
        return verify(session);
    }

    @Override
    public Option<Throwable> verifyServerSession(String hostname, SSLSession session) {
        return verify(session);
    }

    private Option<Throwable> verify(SSLSession session) {
        try {
            X509Certificate peer = (X509Certificate) session.getPeerCertificates()[0];
            Optional<String> objection = current.peers().objection(peer, clock.instant());
            return objection.isPresent() ? Option.apply(refused(peer, objection.get())) : Option.empty();
        } catch (SSLPeerUnverifiedException nobody) {
            return Option.apply(nobody);
        }
    }

    private CertificateException refused(X509Certificate peer, String reason) {
        String sentence = "the certificate " + serial(peer) + " of "
                + peer.getSubjectX500Principal().getName() + " " + reason;
        lastRefusal = Optional.of(sentence);
        Instant now = clock.instant();
        boolean news;
        synchronized (refusals) {
            Instant before = refusals.get(sentence);
            news = before == null || before.plus(SAY_AGAIN).isBefore(now);
            if (news) {
                refusals.put(sentence, now);
            }
        }
        if (news) {
            LOG.warn("A node is refused: {}.", sentence);
        }
        return new CertificateException(sentence);
    }

    private static String serial(X509Certificate certificate) {
        return certificate.getSerialNumber().toString(16);
    }

    /** Judges a peer within the handshake, by what the files say then. */
    private final class Judge extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
                throws CertificateException {
            judge(chain, Optional.empty(), peers -> peers.authorities()
                    .chains()
                    .checkClientTrusted(chain, kind, engine));
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
                throws CertificateException {
            Optional<String> place = Optional.of(engine.getPeerHost() + ":" + engine.getPeerPort());
            judge(chain, place, peers -> peers.authorities().chains().checkServerTrusted(chain, kind, engine));
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket)
                throws CertificateException {
            judge(chain, Optional.empty(), peers -> peers.authorities()
                    .chains()
                    .checkClientTrusted(chain, kind, socket));
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
                throws CertificateException {
            judge(chain, Optional.empty(), peers -> peers.authorities()
                    .chains()
                    .checkServerTrusted(chain, kind, socket));
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {
            judge(chain, Optional.empty(), peers -> peers.authorities().chains().checkClientTrusted(chain, kind));
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
            judge(chain, Optional.empty(), peers -> peers.authorities().chains().checkServerTrusted(chain, kind));
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return current.peers().authorities().certificates().toArray(X509Certificate[]::new);
        }

        private void judge(X509Certificate[] chain, Optional<String> place, ChainCheck check)
                throws CertificateException {
            PeerTrust peers = current.peers();
            Instant now = clock.instant();
            try {
                check.on(peers);
            } catch (CertificateException refused) {
                throw refused(chain[0], peers.refusal(chain[0], now));
            }
            Optional<String> objection = peers.objection(chain[0], now);
            if (objection.isPresent()) {
                if (peers.authorities().isRevoked(chain[0])) {
                    place.ifPresent(peer -> revocations.ifPresent(listener -> listener.ofPeer(peer)));
                }
                throw refused(chain[0], objection.get());
            }
        }
    }

    /** The JDK's check of a chain. */
    private interface ChainCheck {
        void on(PeerTrust peers) throws CertificateException;
    }

    /**
     * A connection that ends when its peer's certificate has been revoked: the next one shows whether the peer has another
     * certificate by now. Used by one thread at a time.
     */
    private final class Revocable extends ForwardingEngine {
        /** The reading of the files by which the peer was last judged. */
        private int judgedBy = readings.get();

        Revocable(SSLEngine engine) {
            super(engine);
        }

        @Override
        public SSLEngineResult wrap(ByteBuffer[] from, int offset, int length, ByteBuffer to) throws SSLException {
            judgeAgain();
            return super.wrap(from, offset, length, to);
        }

        @Override
        public SSLEngineResult unwrap(ByteBuffer from, ByteBuffer[] to, int offset, int length) throws SSLException {
            judgeAgain();
            return super.unwrap(from, to, offset, length);
        }

        private void judgeAgain() throws SSLException {
            int now = readings.get();
            if (now == judgedBy) {
                return;
            }
            judgedBy = now;
            try {
                Certificate peer = getSession().getPeerCertificates()[0];
                if (current.peers().authorities().isRevoked((X509Certificate) peer)) {
                    throw new SSLException(refused((X509Certificate) peer, "is revoked"));
                }
            } catch (SSLPeerUnverifiedException handshaking) {
                // The handshake judges it, by what is current then.
                return;
            }
        }
    }
}
