package dev.vivarium.node.certificates;

import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Authorities that issue certificates, and which of these they have revoked. Immutable.
 *
 * @param certificates whose certificates are accepted
 * @param revocations the authorities' lists of revoked certificates
 * @param chains verifies that a chain leads to one of the authorities
 */
public record Authorities(
        List<X509Certificate> certificates, List<X509CRL> revocations, X509ExtendedTrustManager chains) {
    /**
     * Reads two files.
     *
     * @param authority a PEM file with one or several authorities
     * @param revoked a PEM file with the lists of what they have revoked; empty if there is none
     * @throws NodeStartException with a sentence for the operator when nobody could be judged by them
     */
    public static Authorities read(Path authority, Optional<Path> revoked) throws NodeStartException {
        List<X509Certificate> certificates = PemFiles.certificates(authority);
        List<X509CRL> revocations = revoked.isPresent() ? PemFiles.revocations(revoked.get()) : List.of();
        for (X509CRL list : revocations) {
            if (certificates.stream().noneMatch(issuer -> isIssuer(issuer, list))) {
                throw new NodeStartException(
                        revoked.orElseThrow() + " was not issued by an authority in " + authority + ".");
            }
        }
        return new Authorities(certificates, revocations, chains(certificates));
    }

    private static boolean isIssuer(X509Certificate authority, X509CRL list) {
        try {
            list.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException another) {
            return false;
        }
    }

    private static X509ExtendedTrustManager chains(List<X509Certificate> authorities) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (int number = 0; number < authorities.size(); number++) {
                store.setCertificateEntry("authority-" + number, authorities.get(number));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager chains) {
                    return chains;
                }
            }
        } catch (GeneralSecurityException | IOException impossible) {
            throw new IllegalStateException("Every JDK has PKCS #12 and PKIX.", impossible);
        }
        throw new IllegalStateException("Every JDK has PKIX for X.509.");
    }

    /** Whether an authority has revoked a certificate. */
    public boolean isRevoked(X509Certificate certificate) {
        return revocations.stream().anyMatch(list -> list.isRevoked(certificate));
    }

    /** How many certificates are revoked. */
    public int revoked() {
        return revocations.stream()
                .map(X509CRL::getRevokedCertificates)
                .mapToInt(entries -> entries == null ? 0 : entries.size())
                .sum();
    }

    /** What is wrong with the time of a certificate, as the end of a sentence; empty if it holds now. */
    public static Optional<String> outOfTime(X509Certificate certificate, Instant now) {
        try {
            certificate.checkValidity(Date.from(now));
            return Optional.empty();
        } catch (CertificateExpiredException expired) {
            return Optional.of("has expired at " + certificate.getNotAfter().toInstant());
        } catch (CertificateNotYetValidException early) {
            return Optional.of(
                    "is not valid before " + certificate.getNotBefore().toInstant());
        }
    }
}
