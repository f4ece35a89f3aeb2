package dev.vivarium.node.certificates;

import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;

/**
 * A private key with the certificate that says whose it is, proved to belong together.
 *
 * @param key the private key
 * @param chain its certificate, and after it those that lead to an authority
 */
public record ProvenKey(PrivateKey key, List<X509Certificate> chain) {
    private static final byte[] CHALLENGE = "vivarium".getBytes(StandardCharsets.US_ASCII);
    private static final char[] IN_MEMORY = new char[0];

    /**
     * Reads two files, and proves that they can be used.
     *
     * @param now the time at which the certificate has to hold
     * @throws NodeStartException with a sentence for the operator when they are of no use
     */
    public static ProvenKey read(Path certificate, Path key, Instant now) throws NodeStartException {
        List<X509Certificate> chain = PemFiles.certificates(certificate);
        X509Certificate own = chain.get(0);
        try {
            own.checkValidity(Date.from(now));
        } catch (CertificateException outOfTime) {
            throw new NodeStartException(certificate + " is valid from "
                    + own.getNotBefore().toInstant() + " until "
                    + own.getNotAfter().toInstant() + ", which is not now: renew the certificate.");
        }
        requireLinks(certificate, chain);
        PrivateKey secret = PemFiles.key(key, own.getPublicKey().getAlgorithm());
        if (!belongTogether(secret, own)) {
            throw new NodeStartException(key + " is not the key of the first certificate in " + certificate + ".");
        }
        return new ProvenKey(secret, chain);
    }

    private static void requireLinks(Path file, List<X509Certificate> chain) throws NodeStartException {
        for (int next = 1; next < chain.size(); next++) {
            try {
                chain.get(next - 1).verify(chain.get(next).getPublicKey());
            } catch (GeneralSecurityException another) {
                throw new NodeStartException("In " + file + ", certificate " + next + " was not issued by certificate "
                        + (next + 1) + ": the node's own comes first, and each is followed by the one of its issuer.");
            }
        }
    }

    private static boolean belongTogether(PrivateKey secret, X509Certificate own) {
        String algorithm =
                switch (own.getPublicKey().getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> own.getPublicKey().getAlgorithm();
                };
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(secret);
            signature.update(CHALLENGE);
            byte[] signed = signature.sign();
            signature.initVerify(own.getPublicKey());
            signature.update(CHALLENGE);
            return signature.verify(signed);
        } catch (GeneralSecurityException ofAnotherKind) {
            return false;
        }
    }

    /** The certificate itself. */
    public X509Certificate own() {
        return chain.get(0);
    }

    public Instant expiresAt() {
        return own().getNotAfter().toInstant();
    }

    /** What TLS proves itself with. */
    public KeyManager[] keyManagers() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, IN_MEMORY);
            store.setKeyEntry("node", key, IN_MEMORY, chain.toArray(Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, IN_MEMORY);
            return keys.getKeyManagers();
        } catch (GeneralSecurityException | IOException impossible) {
            throw new IllegalStateException("Every JDK has PKCS #12 and TLS.", impossible);
        }
    }

    /** Omits the key. */
    @Override
    public String toString() {
        return "key of " + own().getSubjectX500Principal().getName();
    }
}
