package dev.vivarium.node.membership;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.Authorities;
import dev.vivarium.node.certificates.ProvenKey;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * Which peers a node accepts: those with a certificate of one of these authorities, in its time, not revoked, and with a name
 * in common with the node's own. Immutable.
 *
 * @param authorities whose certificates are accepted
 * @param names the node's own names
 */
record PeerTrust(Authorities authorities, Set<String> names) {
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
        return new PeerTrust(Authorities.read(authority, revoked), names(own.own()));
    }

    /** Why a peer with this certificate is not accepted, its chain aside; empty if it is. */
    Optional<String> objection(X509Certificate peer, Instant now) {
        if (authorities.isRevoked(peer)) {
            return Optional.of("is revoked");
        }
        Optional<String> outOfTime = Authorities.outOfTime(peer, now);
        if (outOfTime.isPresent()) {
            return outOfTime;
        }
        Set<String> theirs = names(peer);
        return theirs.stream().anyMatch(names::contains)
                ? Optional.empty()
                : Optional.of("is for " + String.join(", ", theirs) + ", and this node's is for "
                        + String.join(", ", names) + ": nodes of a cluster have a name in common");
    }

    /** Why the chain of a peer was not accepted. */
    String refusal(X509Certificate peer, Instant now) {
        return Authorities.outOfTime(peer, now).orElse("was not issued for this by an authority of this node");
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
