package dev.vivarium.node.http.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/**
 * What the API proves itself with: usable, and read once.
 *
 * @param context what connections are made from
 * @param chain the node's own certificate, each followed by the one of its issuer
 */
record TlsIdentity(SSLContext context, List<X509Certificate> chain) {
    /** RFC 5280, section 4.2.1.6. */
    private static final Set<Integer> NAMES_AND_ADDRESSES = Set.of(2, 7);

    /** The hosts and addresses for which the certificate was issued, in lower case. */
    Set<String> names() {
        try {
            return Optional.<Collection<List<?>>>ofNullable(chain.get(0).getSubjectAlternativeNames())
                    .orElse(List.of())
                    .stream()
                    .filter(name -> NAMES_AND_ADDRESSES.contains(name.get(0)))
                    .map(name -> name.get(1).toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.toUnmodifiableSet());
        } catch (CertificateParsingException unreadable) {
            return Set.of();
        }
    }

    Instant expiresAt() {
        return chain.get(0).getNotAfter().toInstant();
    }
}
