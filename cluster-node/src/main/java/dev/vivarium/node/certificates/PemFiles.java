package dev.vivarium.node.certificates;

import dev.vivarium.node.NodeStartException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/** Reads PEM files of at most 1 MiB. What is wrong with one is a sentence for the operator, which quotes no key. */
public final class PemFiles {
    private static final long FILE_BYTES_MAX = 1 << 20;

    private PemFiles() {}

    /** The certificates of a file, of which there is at least one. */
    public static List<X509Certificate> certificates(Path file) throws NodeStartException {
        byte[] pem = bytes(file);
        try {
            List<X509Certificate> found = factory().generateCertificates(new ByteArrayInputStream(pem)).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
            if (!found.isEmpty()) {
                return found;
            }
        } catch (CertificateException unreadable) {
            throw noCertificate(file);
        }
        throw noCertificate(file);
    }

    private static NodeStartException noCertificate(Path file) {
        return new NodeStartException(file + " must contain X.509 certificates in PEM, and does not.");
    }

    /** The lists of revoked certificates (RFC 5280) of a file. */
    public static List<X509CRL> revocations(Path file) throws NodeStartException {
        byte[] pem = bytes(file);
        try {
            List<X509CRL> found = factory().generateCRLs(new ByteArrayInputStream(pem)).stream()
                    .map(X509CRL.class::cast)
                    .toList();
            if (!found.isEmpty()) {
                return found;
            }
        } catch (CRLException | CertificateException unreadable) {
            throw noList(file);
        }
        throw noList(file);
    }

    private static NodeStartException noList(Path file) {
        return new NodeStartException(
                file + " must contain a list of revoked certificates in PEM (X509 CRL), and does not.");
    }

    private static CertificateFactory factory() throws CertificateException {
        return CertificateFactory.getInstance("X.509");
    }

    /**
     * The private key of a file: PKCS #8, PKCS #1 or SEC 1, without a password.
     *
     * @param algorithm that of the public key of its certificate
     */
    static PrivateKey key(Path file, String algorithm) throws NodeStartException {
        String pem = new String(bytes(file), StandardCharsets.US_ASCII);
        try (PEMParser parser = new PEMParser(new StringReader(pem))) {
            for (Object part = parser.readObject(); part != null; part = parser.readObject()) {
                if (part instanceof PEMEncryptedKeyPair || part instanceof PKCS8EncryptedPrivateKeyInfo) {
                    throw new NodeStartException(file
                            + " is locked with a password, which the node cannot ask for: store the key without one,"
                            + " readable by the node's account alone.");
                }
                if (part instanceof PEMKeyPair pair) {
                    return key(algorithm, pair.getPrivateKeyInfo());
                }
                if (part instanceof PrivateKeyInfo plain) {
                    return key(algorithm, plain);
                }
            }
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unreadable) {
            // The cause is dropped: it could quote the key.
            throw noKey(file);
        }
        throw noKey(file);
    }

    private static PrivateKey key(String algorithm, PrivateKeyInfo info) throws GeneralSecurityException, IOException {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
    }

    private static NodeStartException noKey(Path file) {
        return new NodeStartException(file + " must contain the private key of the certificate in PEM, and does not.");
    }

    private static byte[] bytes(Path file) throws NodeStartException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new NodeStartException(file + " is larger than any certificate or key.");
            }
            return Files.readAllBytes(file);
        } catch (IOException unreadable) {
            throw new NodeStartException(
                    file + " cannot be read: it must be a PEM file that the node may read.", unreadable);
        }
    }
}
