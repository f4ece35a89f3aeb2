package dev.vivarium.node.http.tls;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.ProvenKey;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * The files that the API's TLS is made from, in PEM.
 *
 * @param certificate the node's certificate, and after it those that lead to an authority that clients trust
 * @param key its private key (RSA, elliptic curve or Edwards curve; PKCS #8, PKCS #1 or SEC 1), without a password
 */
public record TlsFiles(Path certificate, Path key) {
    private static final String BLOCK = "vivarium.http.tls";

    /**
     * The files that a configuration names; empty when it names none, which means that the API is without TLS.
     *
     * @param tls the block {@code vivarium.http.tls}
     * @throws NodeStartException when only one of them is named
     */
    public static Optional<TlsFiles> from(Config tls) throws NodeStartException {
        String certificate = tls.getString("certificate");
        String key = tls.getString("key");
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new NodeStartException(
                    BLOCK + " names " + (key.isEmpty() ? "a certificate and no key" : "a key and no certificate")
                            + ": set both (`vivarium up --certificate FILE --key FILE`), or none.");
        }
        return certificate.isEmpty() ? Optional.empty() : Optional.of(new TlsFiles(Path.of(certificate), Path.of(key)));
    }

    /**
     * Reads the files and proves that clients can use them.
     *
     * @param now the time at which the certificate has to hold
     * @param clients lets clients present certificates; empty where none are asked for
     * @throws NodeStartException with a sentence for the operator when they are of no use
     */
    TlsIdentity read(Instant now, Optional<ClientCertificates> clients) throws NodeStartException {
        ProvenKey proven = ProvenKey.read(certificate, key, now);
        TlsIdentity identity = new TlsIdentity(context(proven, clients), proven.chain());
        if (identity.names().isEmpty()) {
            throw new NodeStartException(certificate + " names no host and no address as its subject alternative names,"
                    + " so clients refuse it: have one issued for the names that clients use for this node.");
        }
        return identity;
    }

    private static SSLContext context(ProvenKey proven, Optional<ClientCertificates> clients) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(proven.keyManagers(), clients.stream().toArray(TrustManager[]::new), null);
            return context;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every JDK has TLS.", impossible);
        }
    }
}
