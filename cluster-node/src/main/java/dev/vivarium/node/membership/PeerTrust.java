package dev.vivarium.node.membership;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.PemFiles;
import dev.vivarium.node.certificates.ProvenKey;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Which peers a node accepts: those with a certificate of one of these authorities, in its time, not revoked, and with a name
 * in common with the node's own. Immutable.
 *
 * @param authorities whose certificates are accepted
 * @param revocations the authorities' lists of revoked certificates
 * @param names the node's own names
 * @param chains verifies that a chain leads to one of the authorities
 */
record PeerTrust(
        List<X509Certificate> authorities,
        List<X509CRL> revocations,
        Set<String> names,
        X509ExtendedTrustManager chains) {
    /** RFC 5280, section 4.2.1.6. */
    private static final int DNS_NAME = 2;

    /**
     * @param authority a PEM file with one or several authorities
     * @param revoked a PEM file with the lists of what they have revoked; empty if there is none
     * @param own what this node proves itself with
     * @throws NodeStartException with a sentence for the operator when peers could not be judged by them, or would refuse this
     *     node
     */
    static PeerTrust read(Path authority, Optional<Path> revoked, ProvenKey own) throws NodeStartException {
        List<X509Certificate> authorities = PemFiles.certificates(authority);
        List<X509CRL> revocations = revoked.isPresent() ? PemFiles.revocations(revoked.get()) : List.of();
        for (X509CRL list : revocations) {
            if (authorities.stream().noneMatch(issuer -> isIssuer(issuer, list))) {
                throw new NodeStartException(
                        revoked.orElseThrow() + " was not issued by an authority in " + authority + ".");
            }
        }
        return new PeerTrust(authorities, revocations, names(own.own()), chains(authorities));
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

    /** Why a peer with this certificate is not accepted, its chain aside; empty if it is. */
    Optional<String> objection(X509Certificate peer, Instant now) {
        if (isRevoked(peer)) {
            return Optional.of("is revoked");
        }
        Optional<String> outOfTime = outOfTime(peer, now);
        if (outOfTime.isPresent()) {
            return outOfTime;
        }
        Set<String> theirs = names(peer);
        return theirs.stream().anyMatch(names::contains)
                ? Optional.empty()
                : Optional.of("is for " + String.join(", ", theirs) + ", and this node's is for "
                        + String.join(", ", names) + ": nodes of a cluster have a name in common");
    }

    boolean isRevoked(X509Certificate certificate) {
        return revocations.stream().anyMatch(list -> list.isRevoked(certificate));
    }

    /** How many certificates are revoked. */
    int revoked() {
        return revocations.stream()
                .map(X509CRL::getRevokedCertificates)
                .mapToInt(entries -> entries == null ? 0 : entries.size())
                .sum();
    }

    /** Why the chain of a peer was not accepted. */
    String refusal(X509Certificate peer, Instant now) {
        return outOfTime(peer, now).orElse("was not issued for this by an authority of this node");
    }

    private static Optional<String> outOfTime(X509Certificate peer, Instant now) {
        try {
            peer.checkValidity(Date.from(now));
            return Optional.empty();
        } catch (CertificateExpiredException expired) {
            return Optional.of("has expired at " + peer.getNotAfter().toInstant());
        } catch (CertificateNotYetValidException early) {
            return Optional.of("is not valid before " + peer.getNotBefore().toInstant());
        }
    }

    /** The common name and the subject alternative names, in lower case. */
    static Set<String> names(X509Certificate certificate) {
        Set<String> names = new HashSet<>();
        try {
            new LdapName(certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
                            .map(Rdn::getValue)
                            .forEach(name -> names.add(name.toString().toLowerCase(Locale.ROOT)));
            Stream.ofNullable(certificate.getSubjectAlternativeNames())
                    .flatMap(Collection::stream)
                    .filter(name -> name.get(0).equals(DNS_NAME))
                    .forEach(name -> names.add(name.get(1).toString().toLowerCase(Locale.ROOT)));
        } catch (CertificateParsingException | InvalidNameException unreadable) {
            // A name that cannot be read is in common with none.
            return names;
        }
        return names;
    }
}
