package dev.vivarium.node.access.oidc;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.vivarium.node.access.RoleRule;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Recognizes tokens of the configured issuers: JWTs with a signature of RFC 7518's asymmetric kinds, from the issuer, for this
 * audience, at this time. Their first rule that applies gives the caller its role and tenant; the principal is {@code
 * oidc:ISSUER/NAME}. What a signature has proved is remembered for a minute at most. Thread-safe; no call blocks.
 */
public final class OidcTokens {
    /** No HMAC: a verifier could sign with its secret, and an attacker could present a public key as the secret. */
    private static final Set<JWSAlgorithm> ALGORITHMS = algorithms();

    private static final int BYTES_MAX = 16 << 10;
    private static final int REMEMBERED_MAX = 10_000;
    private static final Duration REMEMBERED = Duration.ofMinutes(1);
    private static final char SEPARATOR = '.';

    private final OidcSettings settings;
    private final Map<String, Issuer> issuers = new HashMap<>();
    private final Executor blocking;
    private final Clock clock;
    private final Cache<Digest, Proven> proven = Caffeine.newBuilder()
            .maximumSize(REMEMBERED_MAX)
            .expireAfterWrite(REMEMBERED)
            .build();

    private record Issuer(IssuerSettings settings, IssuerKeys keys) {}

    private record Proven(Identity identity, Instant until) {}

    /**
     * @param blocking for what an issuer publishes, and for signatures
     * @param clock of the time that tokens speak of
     * @param monotonic of the age of keys
     */
    public OidcTokens(OidcSettings settings, Executor blocking, Clock clock, Clock monotonic) {
        this.settings = settings;
        this.blocking = blocking;
        this.clock = clock;
        for (IssuerSettings issuer : settings.issuers()) {
            IssuerDocuments documents = new IssuerDocuments(issuer, settings.fetchTimeout());
            IssuerKeys keys = new IssuerKeys(issuer.name(), documents::keys, settings, blocking, monotonic);
            issuers.put(issuer.issuer().toString(), new Issuer(issuer, keys));
        }
    }

    private static Set<JWSAlgorithm> algorithms() {
        Set<JWSAlgorithm> asymmetric = new HashSet<>(JWSAlgorithm.Family.RSA);
        asymmetric.addAll(Set.of(JWSAlgorithm.ES256, JWSAlgorithm.ES384, JWSAlgorithm.ES512));
        return Set.copyOf(asymmetric);
    }

    /** Whether the text has the form of a JWT, which the installation's own tokens do not have. */
    public static boolean hasForm(String token) {
        return token.indexOf(SEPARATOR) >= 0;
    }

    /** Authenticates a presented token, or says why it is refused. */
    public CompletionStage<Authentication> authenticate(String token) {
        if (issuers.isEmpty()) {
            return refused("This is no token of this installation, which knows no issuer of others"
                    + " (vivarium.oidc.issuers): `vivarium token create` makes its own.");
        }
        if (token.length() > BYTES_MAX) {
            return refused("This token is longer than " + BYTES_MAX + " characters.");
        }
        Digest digest = Digest.of(token.getBytes(StandardCharsets.UTF_8));
        Optional<Proven> before = Optional.ofNullable(proven.getIfPresent(digest))
                .filter(known -> clock.instant().isBefore(known.until));
        return before.isPresent()
                ? CompletableFuture.completedStage(new Authentication.Known(before.get().identity))
                : proved(token, digest);
    }

    private CompletionStage<Authentication> proved(String token, Digest digest) {
        SignedJWT jwt;
        Optional<Issuer> issuer;
        try {
            jwt = SignedJWT.parse(token);
            issuer = Optional.ofNullable(jwt.getJWTClaimsSet().getIssuer()).map(issuers::get);
        } catch (ParseException malformed) {
            return refused("This is no signed JWT: was it cut off?");
        }
        if (!ALGORITHMS.contains(jwt.getHeader().getAlgorithm())) {
            return refused("A JWT must have a signature of the kinds RS, PS or ES, and this one says "
                    + printable(jwt.getHeader().getAlgorithm().getName()) + ".");
        }
        if (issuer.isEmpty()) {
            return refused("The issuer of this token is none that this installation knows (vivarium.oidc.issuers).");
        }
        Issuer known = issuer.get();
        return known.keys()
                .forToken(jwt.getHeader())
                .thenApplyAsync(keys -> judged(jwt, known.settings(), keys, digest), blocking)
                .exceptionally(failure -> undecided(known.settings(), failure));
    }

    private static CompletionStage<Authentication> refused(String why) {
        return CompletableFuture.completedStage(new Authentication.Refused(why));
    }

    private static Authentication undecided(IssuerSettings issuer, Throwable failure) {
        if (StageFailure.cause(failure) instanceof IssuerUnavailable) {
            return new Authentication.Undecided("The keys of the token's issuer, " + issuer.name()
                    + ", cannot be read at the moment. Try again; if that lasts, tell the operator of this node.");
        }
        throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
    }

    private Authentication judged(SignedJWT jwt, IssuerSettings issuer, JWKSet keys, Digest digest) {
        try {
            JWTClaimsSet claims = processor(issuer, keys).process(jwt, null);
            Authentication answer = ruled(claims.getClaims(), issuer);
            if (answer instanceof Authentication.Known caller) {
                Instant until = claims.getExpirationTime().toInstant().plus(settings.clockSkew());
                proven.put(digest, new Proven(caller.identity(), until));
            }
            return answer;
        } catch (BadJOSEException | JOSEException refusal) {
            return new Authentication.Refused("This token of issuer " + issuer.name() + " is refused: "
                    + printable(String.valueOf(refusal.getMessage())) + ". Get another one from there.");
        }
    }

    private DefaultJWTProcessor<SecurityContext> processor(IssuerSettings issuer, JWKSet keys) {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, new ImmutableJWKSet<>(keys)));
        DefaultJWTClaimsVerifier<SecurityContext> verifier =
                new DefaultJWTClaimsVerifier<>(
                        issuer.audiences(),
                        new JWTClaimsSet.Builder()
                                .issuer(issuer.issuer().toString())
                                .build(),
                        Set.of("exp", issuer.principalClaim()),
                        Set.of()) {
                    @Override
                    protected Date currentTime() {
                        return Date.from(clock.instant());
                    }
                };
        verifier.setMaxClockSkew(Math.toIntExact(settings.clockSkew().toSeconds()));
        processor.setJWTClaimsSetVerifier(verifier);
        return processor;
    }

    private static Authentication ruled(Map<String, Object> claims, IssuerSettings issuer) {
        String caller = claims.get(issuer.principalClaim()) instanceof String text ? text : "";
        String name = issuer.name() + "/" + caller;
        if (caller.isEmpty() || !Principal.isValidName(name)) {
            return new Authentication.Refused(
                    "The claim " + issuer.principalClaim()
                            + " of this token is no name: it must be visible ASCII characters, with the issuer's name 255 at most.");
        }
        Optional<RoleRule> rule =
                issuer.rules().stream().filter(one -> one.applies(claims)).findFirst();
        if (rule.isEmpty()) {
            return new Authentication.Refused(
                    "No rule gives " + name + " a role here: ask the operator for one (vivarium.oidc.issuers, rules of "
                            + issuer.name() + ").");
        }
        Optional<Tenant> tenant = rule.get().tenantOf(claims);
        return tenant.<Authentication>map(own -> new Authentication.Known(new Identity(
                        new Principal(Principal.Kind.OIDC, name),
                        rule.get().role(),
                        own,
                        Scope.NONE,
                        Optional.empty())))
                .orElseGet(() -> new Authentication.Refused(
                        "The claim that should name the tenant of this token names none: ask its issuer."));
    }

    /** Whoever presents a token has written parts of what is said of it. */
    private static String printable(String text) {
        return text.replaceAll("[^\\x20-\\x7e]", "?").substring(0, Math.min(text.length(), 200));
    }
}
