package dev.vivarium.node.access.oidc;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of an issuer, read when they are first needed, when they are old, and when a token names one that is not among them: a
 * rotation is noticed by that. They are read once at a time, and not again within {@link OidcSettings#fetchPause}, so that
 * made-up keys' names cost the issuer nothing. While it is away, keys that are known are used for {@link OidcSettings#keep}.
 * Thread-safe; no call blocks.
 */
final class IssuerKeys {
    private static final Logger LOG = LoggerFactory.getLogger(IssuerKeys.class);

    private final String name;
    private final Reading reading;
    private final OidcSettings settings;
    private final Executor blocking;
    private final Clock clock;
    private Optional<Known> known = Optional.empty();
    private Optional<Instant> begun = Optional.empty();
    private CompletableFuture<JWKSet> last = new CompletableFuture<>();

    /** Reads the keys, blocking. */
    interface Reading {
        JWKSet keys() throws IssuerUnavailable;
    }

    private record Known(JWKSet keys, Instant at) {}

    IssuerKeys(String name, Reading reading, OidcSettings settings, Executor blocking, Clock clock) {
        this.name = name;
        this.reading = reading;
        this.settings = settings;
        this.blocking = blocking;
        this.clock = clock;
    }

    /** The keys among which that of a token is, if the issuer has it. Fails with {@link IssuerUnavailable}. */
    synchronized CompletionStage<JWKSet> forToken(JWSHeader header) {
        Instant now = clock.instant();
        Optional<Known> usable = known.filter(keys -> now.isBefore(keys.at.plus(settings.keep())));
        if (usable.filter(keys -> has(keys.keys, header)).isPresent()) {
            if (!now.isBefore(usable.get().at.plus(settings.refresh()))) {
                CompletableFuture<JWKSet> unused = readAgain(now);
            }
            return CompletableFuture.completedStage(usable.get().keys);
        }
        CompletableFuture<JWKSet> read = readAgain(now);
        return usable.isPresent() && read.isDone() ? CompletableFuture.completedStage(usable.get().keys) : read;
    }

    private static boolean has(JWKSet keys, JWSHeader header) {
        return !new JWKSelector(JWKMatcher.forJWSHeader(header)).select(keys).isEmpty();
    }

    /** The reading that is under way, or the last one if it is too early for another. */
    private CompletableFuture<JWKSet> readAgain(Instant now) {
        boolean tooEarly =
                begun.filter(at -> now.isBefore(at.plus(settings.fetchPause()))).isPresent();
        if (tooEarly || (begun.isPresent() && !last.isDone())) {
            return last;
        }
        begun = Optional.of(now);
        last = CompletableFuture.supplyAsync(this::read, blocking);
        return last;
    }

    private JWKSet read() {
        try {
            JWKSet keys = reading.keys();
            synchronized (this) {
                known = Optional.of(new Known(keys, clock.instant()));
            }
            return keys;
        } catch (IssuerUnavailable away) {
            LOG.warn("{} Tokens of {} are judged by the keys that are known.", away.getMessage(), name);
            throw new CompletionException(away);
        }
    }
}
