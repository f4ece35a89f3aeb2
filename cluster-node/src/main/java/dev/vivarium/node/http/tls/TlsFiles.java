package dev.vivarium.node.http.tls;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/**
 * The files that the API's TLS is made from, in PEM.
 *
 * @param certificate the node's certificate, and after it those that lead to an authority that clients trust
 * @param key its private key (RSA, elliptic curve or Edwards curve; PKCS #8, PKCS #1 or SEC 1), without a password
 */
public record TlsFiles(Path certificate, Path key) {
    private static final String BLOCK = "vivarium.http.tls";
    private static final long FILE_BYTES_MAX = 1 << 20;
    private static final byte[] CHALLENGE = BLOCK.getBytes(StandardCharsets.US_ASCII);
    private static final char[] IN_MEMORY = new char[0];

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
     * @throws NodeStartException with a sentence for the operator when they are of no use
     */
    TlsIdentity read(Instant now) throws NodeStartException {
        List<X509Certificate> chain = chain();
        X509Certificate own = chain.get(0);
        try {
            own.checkValidity(Date.from(now));
        } catch (CertificateException outOfTime) {
            throw new NodeStartException(certificate + " is valid from "
                    + own.getNotBefore().toInstant() + " until "
                    + own.getNotAfter().toInstant() + ", which is not now: renew the certificate.");
        }
        requireLinks(chain);
        PrivateKey secret = privateKey(own.getPublicKey().getAlgorithm());
        if (!belongTogether(secret, own)) {
            throw new NodeStartException(key + " is not the key of the first certificate in " + certificate + ".");
        }
        TlsIdentity identity = new TlsIdentity(context(secret, chain), chain);
        if (identity.names().isEmpty()) {
            throw new NodeStartException(certificate + " names no host and no address as its subject alternative names,"
                    + " so clients refuse it: have one issued for the names that clients use for this node.");
        }
        return identity;
    }

    private List<X509Certificate> chain() throws NodeStartException {
        try {
            List<X509Certificate> chain =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytes(certificate)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (!chain.isEmpty()) {
                return chain;
            }
        } catch (CertificateException unreadable) {
            throw noCertificate();
        }
        throw noCertificate();
    }

    private NodeStartException noCertificate() {
        return new NodeStartException(certificate + " must contain X.509 certificates in PEM, and does not.");
    }

    private void requireLinks(List<X509Certificate> chain) throws NodeStartException {
        for (int next = 1; next < chain.size(); next++) {
            try {
                chain.get(next - 1).verify(chain.get(next).getPublicKey());
            } catch (GeneralSecurityException another) {
                throw new NodeStartException(
                        "In " + certificate + ", certificate " + next + " was not issued by certificate " + (next + 1)
                                + ": the node's own comes first, and each is followed by the one of its issuer.");
            }
        }
    }

    private PrivateKey privateKey(String algorithm) throws NodeStartException {
        try (PEMParser parser = new PEMParser(new StringReader(new String(bytes(key), StandardCharsets.US_ASCII)))) {
            for (Object part = parser.readObject(); part != null; part = parser.readObject()) {
                if (part instanceof PEMEncryptedKeyPair || part instanceof PKCS8EncryptedPrivateKeyInfo) {
                    throw new NodeStartException(key
                            + " is locked with a password, which the node cannot ask for: store the key without one,"
                            + " readable by the node's account alone.");
                }
                if (part instanceof PEMKeyPair pair) {
                    return secret(algorithm, pair.getPrivateKeyInfo());
                }
                if (part instanceof PrivateKeyInfo plain) {
                    return secret(algorithm, plain);
                }
            }
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unreadable) {
            // The cause is dropped: it could quote the key.
            throw noKey();
        }
        throw noKey();
    }

    private static PrivateKey secret(String algorithm, PrivateKeyInfo info)
            throws GeneralSecurityException, IOException {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
    }

    private NodeStartException noKey() {
        return new NodeStartException(key + " must contain the private key of the certificate in PEM, and does not.");
    }

    private static byte[] bytes(Path file) throws NodeStartException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new NodeStartException(file + " is larger than any certificate or key.");
            }
            return Files.readAllBytes(file);
        } catch (IOException unreadable) {
            throw new NodeStartException(
                    file + ", which " + BLOCK + " names, cannot be read: it must be a PEM file that the node may read.",
                    unreadable);
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

    private static SSLContext context(PrivateKey secret, List<X509Certificate> chain) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, IN_MEMORY);
            store.setKeyEntry("node", secret, IN_MEMORY, chain.toArray(Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, IN_MEMORY);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), new TrustManager[0], null);
            return context;
        } catch (GeneralSecurityException | IOException impossible) {
            throw new IllegalStateException("Every JDK has PKCS #12 and TLS.", impossible);
        }
    }
}
