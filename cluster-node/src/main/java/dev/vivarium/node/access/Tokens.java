package dev.vivarium.node.access;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.persistence.store.TokenStore.ListedToken;
import dev.vivarium.persistence.store.TokenStore.StoredToken;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.TokenId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens of the installation: makes, ends and recognizes them. A node relies on what it has read of a token for a short
 * time ({@link TokenSettings#cached}), so a revocation holds on this node at once and on all others within that time. Only a
 * genuine token makes it ask the store. Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable}.
 * Thread-safe.
 */
public final class Tokens {
    private static final Logger LOG = LoggerFactory.getLogger(Tokens.class);
    private static final int CACHED_MAX = 10_000;
    private static final Duration USES_NOTED_EVERY = Duration.ofMinutes(1);

    private final TokenStore store;
    private final TokenSeal seal;
    private final TokenSettings settings;
    private final Acts acts;
    private final Clock clock;
    private final AsyncCache<TokenId, Optional<StoredToken>> read;
    /** Tokens whose use was noted a short time ago. */
    private final Cache<TokenId, Instant> noted = Caffeine.newBuilder()
            .maximumSize(CACHED_MAX)
            .expireAfterWrite(USES_NOTED_EVERY)
            .build();

    /** @param acts where it is recorded who makes and ends tokens */
    public Tokens(TokenStore store, TokenSeal seal, TokenSettings settings, Acts acts, Clock clock) {
        this.store = store;
        this.seal = seal;
        this.settings = settings;
        this.acts = acts;
        this.clock = clock;
        this.read = Caffeine.newBuilder()
                .maximumSize(CACHED_MAX)
                .expireAfterWrite(settings.cached())
                .buildAsync();
    }

    /** A token that was just made. Its text is not stored: this is the only time that anybody sees it. */
    public record Issued(String text, StoredToken token) {}

    /** The answer to the wish for a token. */
    public sealed interface Issuing {
        /** It is made, durably. */
        record Made(Issued issued) implements Issuing {}

        /** There are as many as there may be. */
        record TooMany(int max) implements Issuing {}

        /** There is no token to replace, or it has ended. */
        record NothingToReplace() implements Issuing {}
    }

    /** How long tokens may hold. */
    public TokenSettings settings() {
        return settings;
    }

    /** Authenticates a presented token, or says why it is refused. */
    CompletionStage<Authentication> authenticate(String text) {
        if (!TokenSeal.isWhole(text)) {
            return refused("This is not a whole token: one begins with viv_ or e2b_, followed by 80 hexadecimal digits."
                    + " Was it cut off?");
        }
        Optional<TokenSeal.Recognized> recognized = seal.recognize(text);
        if (recognized.isEmpty()) {
            return refused("This installation has not made this token: it is another one's, or mistyped.");
        }
        TokenId id = recognized.get().id();
        return read.get(id, (unread, executor) -> store.find(unread).toCompletableFuture())
                .thenApply(found -> found.filter(stored -> recognized.get().matches(stored.verifier()))
                        .map(this::judged)
                        .orElseGet(() -> new Authentication.Refused("There is no such token any more.")));
    }

    private static CompletionStage<Authentication> refused(String why) {
        return CompletableFuture.completedStage(new Authentication.Refused(why));
    }

    private Authentication judged(StoredToken token) {
        Instant now = clock.instant();
        if (token.revokedAt().filter(end -> !now.isBefore(end)).isPresent()) {
            return new Authentication.Refused("This token was revoked: ask its operator for another one.");
        }
        TokenGrant grant = token.grant();
        if (!now.isBefore(grant.expiresAt())) {
            return new Authentication.Refused(
                    "This token expired at " + grant.expiresAt() + ": ask its operator for another one.");
        }
        noteUse(token.id(), now);
        return new Authentication.Known(new Identity(
                new Principal(Principal.Kind.TOKEN, grant.name()),
                grant.role(),
                grant.tenant(),
                grant.scope(),
                Optional.of(token.id())));
    }

    /** Losing one is no harm. */
    private void noteUse(TokenId id, Instant now) {
        if (noted.getIfPresent(id) == null && noted.asMap().putIfAbsent(id, now) == null) {
            store.use(id, now.truncatedTo(ChronoUnit.MILLIS)).exceptionally(failure -> {
                LOG.debug("The use of token {} was not noted: {}", id, failure.getMessage());
                return null;
            });
        }
    }

    /** Makes a token that holds from now on. */
    public CompletionStage<Issuing> issue(TokenWish wish, Requester by) {
        return issue(wish, Optional.empty(), by);
    }

    private CompletionStage<Issuing> issue(TokenWish wish, Optional<TokenId> replaces, Requester by) {
        return makeRoom()
                .thenCompose(left -> left >= settings.countMax()
                        ? CompletableFuture.completedStage(new Issuing.TooMany(settings.countMax()))
                        : add(wish, replaces, by));
    }

    /** Removes tokens that have ended long ago; returns how many there are then. */
    private CompletionStage<Integer> makeRoom() {
        Instant before = clock.instant().minus(settings.kept());
        return store.list().thenCompose(all -> {
            List<CompletableFuture<?>> removals = all.stream()
                    .map(ListedToken::token)
                    .filter(token -> token.end().isBefore(before))
                    .<CompletableFuture<?>>map(token -> store.remove(token.id()).toCompletableFuture())
                    .toList();
            return CompletableFuture.allOf(removals.toArray(CompletableFuture<?>[]::new))
                    .thenApply(removed -> all.size() - removals.size());
        });
    }

    private CompletionStage<Issuing> add(TokenWish wish, Optional<TokenId> replaces, Requester by) {
        TokenSeal.Minted minted = seal.mint(wish.form());
        TokenId id = minted.recognized().id();
        // Stores keep milliseconds, and an answer says what is stored.
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        TokenGrant grant = new TokenGrant(
                wish.name().orElse(id.value()),
                wish.tenant(),
                wish.role(),
                wish.scope(),
                by.principal(),
                now,
                now.plus(wish.life()));
        StoredToken stored = new StoredToken(id, minted.recognized().verifier(), grant, Optional.empty());
        CompletionStage<Done> recorded = acts.record((at, node) -> new Act.TokenCreated(
                at,
                node,
                by.principal(),
                by.origin(),
                grant.tenant(),
                id,
                grant.name(),
                grant.role(),
                grant.expiresAt(),
                replaces));
        return recorded.thenCompose(done -> store.add(id, stored.verifier(), grant))
                .thenApply(added -> {
                    LOG.info(
                            "Token {} ({}, {} of tenant {}) was made by {}.",
                            id,
                            grant.name(),
                            grant.role(),
                            grant.tenant(),
                            by.principal());
                    return new Issuing.Made(new Issued(minted.text(), stored));
                });
    }

    /**
     * Makes a token that grants what another one does, for as long as that was made for, and ends the other one.
     *
     * @param overlap how long the other one holds on
     */
    public CompletionStage<Issuing> rotate(TokenId id, Duration overlap, TokenSeal.Form form, Requester by) {
        Instant now = clock.instant();
        return store.find(id).thenCompose(found -> {
            Optional<StoredToken> live = found.filter(token -> now.isBefore(token.end()));
            if (live.isEmpty()) {
                return CompletableFuture.completedStage(new Issuing.NothingToReplace());
            }
            TokenGrant grant = live.get().grant();
            TokenWish wish = new TokenWish(
                    Optional.of(grant.name()),
                    grant.tenant(),
                    grant.role(),
                    grant.scope(),
                    Duration.between(grant.createdAt(), grant.expiresAt()),
                    form);
            return issue(wish, Optional.of(id), by)
                    .thenCompose(answer -> answer instanceof Issuing.Made
                            ? revoke(live.get(), now.plus(overlap), by).thenApply(ended -> answer)
                            : CompletableFuture.completedStage(answer));
        });
    }

    /** All tokens, the newest first; also those that have ended a short time ago. */
    public CompletionStage<List<ListedToken>> list() {
        return store.list().thenApply(all -> all.stream()
                .sorted((one, other) -> other.token()
                        .grant()
                        .createdAt()
                        .compareTo(one.token().grant().createdAt()))
                .toList());
    }

    /** Ends a token now; answers with nothing when there is none of this id. Idempotent. */
    public CompletionStage<Optional<StoredToken>> revoke(TokenId id, Requester by) {
        Instant now = clock.instant();
        return store.find(id).thenCompose(found -> found.filter(token -> now.isBefore(token.end()))
                .map(live -> revoke(live, now, by))
                .orElseGet(() -> CompletableFuture.completedStage(found)));
    }

    private CompletionStage<Optional<StoredToken>> revoke(StoredToken live, Instant at, Requester by) {
        TokenId id = live.id();
        Instant end = at.truncatedTo(ChronoUnit.MILLIS);
        CompletionStage<Done> recorded = acts.record((now, node) -> new Act.TokenRevoked(
                now, node, by.principal(), by.origin(), live.grant().tenant(), id, end));
        return recorded.thenCompose(done -> store.revoke(id, end)).thenApply(revoked -> {
            read.synchronous().invalidate(id);
            revoked.ifPresent(token -> LOG.info("Token {} ends at {}, says {}.", id, token.end(), by.principal()));
            return revoked;
        });
    }
}
