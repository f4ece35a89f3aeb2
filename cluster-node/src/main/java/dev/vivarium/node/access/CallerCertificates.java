package dev.vivarium.node.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.Authorities;
import dev.vivarium.node.certificates.Subject;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Recognizes callers by their certificates: of one of the configured authorities, for clients, not revoked, in its time. The first
 * rule that applies to the subject gives the caller its role and tenant; the principal is {@code certificate:NAME}. Each request is
 * judged, so that a certificate which ends or is revoked opens nothing more on connections that it has. That a chain leads to an
 * authority is remembered for a minute at most, and forgotten when the files change. Replaced files are used after {@link #refresh};
 * files of no use change nothing. Thread-safe; {@link #authenticate} does not block.
 */
public final class CallerCertificates {
    private static final Logger LOG = LoggerFactory.getLogger(CallerCertificates.class);
    private static final int REMEMBERED_MAX = 1_000;
    private static final Duration REMEMBERED = Duration.ofMinutes(1);

    private final CallerSettings settings;
    private final Clock clock;
    private volatile Trust trust;
    /** The last warning that was logged, so that the same one is not repeated at each refresh. */
    private volatile String said = "";

    /** Authorities, with the chains that were found to lead to them. */
    private record Trust(Authorities authorities, Cache<List<X509Certificate>, Boolean> proven) {
        private static Trust read(CallerSettings settings) throws NodeStartException {
            return new Trust(
                    Authorities.read(settings.authority(), settings.revoked()),
                    Caffeine.newBuilder()
                            .maximumSize(REMEMBERED_MAX)
                            .expireAfterWrite(REMEMBERED)
                            .build());
        }

        private boolean proves(List<X509Certificate> chain) {
            if (proven.getIfPresent(chain) != null) {
                return true;
            }
            try {
                authorities
                        .chains()
                        .checkClientTrusted(
                                chain.toArray(X509Certificate[]::new),
                                chain.get(0).getPublicKey().getAlgorithm());
                proven.put(chain, true);
                return true;
            } catch (CertificateException foreign) {
                return false;
            }
        }
    }

    private CallerCertificates(CallerSettings settings, Clock clock, Trust trust) {
        this.settings = settings;
        this.clock = clock;
        this.trust = trust;
    }

    /**
     * Reads the files.
     *
     * @throws NodeStartException with a sentence for the operator when they are of no use
     */
    public static CallerCertificates of(CallerSettings settings, Clock clock) throws NodeStartException {
        return new CallerCertificates(settings, clock, Trust.read(settings));
    }

    /** Reads the files again. Blocks while it does. */
    public void refresh() {
        try {
            Trust next = Trust.read(settings);
            if (!next.authorities().certificates().equals(authorities().certificates())
                    || !next.authorities().revocations().equals(authorities().revocations())) {
                trust = next;
                LOG.info(
                        "Callers' certificates are judged by {} authorities and {} revocations from now on.",
                        next.authorities().certificates().size(),
                        next.authorities().revoked());
            }
            said = "";
        } catch (NodeStartException useless) {
            String why = String.valueOf(useless.getMessage());
            if (!why.equals(said)) {
                said = why;
                LOG.error("Callers' certificates are judged by what was read before: {}", why);
            }
        }
    }

    private Authorities authorities() {
        return trust.authorities();
    }

    /** Whose certificates are accepted at the moment: clients that have several choose by them. */
    public X509Certificate[] issuers() {
        return authorities().certificates().toArray(X509Certificate[]::new);
    }

    /** Whose the certificate is. */
    public Authentication authenticate(Credential.Certificate presented) {
        Trust by = trust;
        List<X509Certificate> chain = presented.chain();
        Optional<String> outOfTime = Authorities.outOfTime(presented.own(), clock.instant());
        if (outOfTime.isPresent()) {
            return refused(outOfTime.get() + ": present one that holds now");
        }
        if (!by.proves(chain)) {
            return refused("was not issued for clients by an authority that this node accepts: have one issued by the"
                    + " authority of vivarium.http.tls.callers, or present a token");
        }
        if (chain.stream().anyMatch(by.authorities()::isRevoked)) {
            return refused("is revoked: have another one issued");
        }
        return ruled(Subject.attributes(presented.own()));
    }

    private Authentication ruled(Map<String, Object> subject) {
        String name = subject.get(settings.principal()) instanceof String text ? text : "";
        if (!Principal.isValidName(name)) {
            return refused("must name its holder by one " + settings.principal()
                    + " in its subject, of 1 to 255 visible ASCII characters: have such a one issued");
        }
        Optional<RoleRule> rule =
                settings.rules().stream().filter(one -> one.applies(subject)).findFirst();
        if (rule.isEmpty()) {
            return new Authentication.Refused("No rule gives " + name
                    + " a role here: ask the operator for one (vivarium.http.tls.callers, rules).");
        }
        Optional<Tenant> tenant = rule.get().tenantOf(subject);
        return tenant.<Authentication>map(own -> new Authentication.Known(new Identity(
                        new Principal(Principal.Kind.CERTIFICATE, name),
                        rule.get().role(),
                        own,
                        Scope.NONE,
                        Optional.empty())))
                .orElseGet(() -> refused(
                        "must name its holder's tenant in its subject, and names none: a tenant " + Tenant.PLAIN_RULE));
    }

    private static Authentication refused(String why) {
        return new Authentication.Refused("Your certificate " + why + ".");
    }
}
