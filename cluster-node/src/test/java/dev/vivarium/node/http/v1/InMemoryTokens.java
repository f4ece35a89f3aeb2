package dev.vivarium.node.http.v1;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;

/** A store of tokens that the test can break. */
final class InMemoryTokens implements TokenStore {
    private static final int COUNT_MAX = 10_000;
    private final Map<TokenId, ListedToken> tokens = new ConcurrentHashMap<>();
    final AtomicInteger finds = new AtomicInteger();
    private volatile boolean full;
    private volatile Optional<RuntimeException> failure = Optional.empty();

    void failWith(RuntimeException reason) {
        failure = Optional.of(reason);
    }

    void goAway() {
        failWith(new StoreUnavailable("The store is away."));
    }

    /** Lists as many tokens as an installation may have. */
    void fill() {
        full = true;
    }

    private <T> CompletionStage<T> answer(T value) {
        return failure.<CompletionStage<T>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(value));
    }

    @Override
    public CompletionStage<Done> add(TokenId id, Blob verifier, TokenGrant grant) {
        if (failure.isEmpty()) {
            tokens.put(id, new ListedToken(new StoredToken(id, verifier, grant, Optional.empty()), Optional.empty()));
        }
        return answer(Done.getInstance());
    }

    @Override
    public CompletionStage<Optional<StoredToken>> find(TokenId id) {
        finds.incrementAndGet();
        return answer(Optional.ofNullable(tokens.get(id)).map(ListedToken::token));
    }

    @Override
    public CompletionStage<List<ListedToken>> list() {
        List<ListedToken> all = List.copyOf(tokens.values());
        return answer(full ? Collections.nCopies(COUNT_MAX, all.get(0)) : all);
    }

    @Override
    public CompletionStage<Optional<StoredToken>> revoke(TokenId id, Instant at) {
        return answer(Optional.ofNullable(tokens.computeIfPresent(id, (same, listed) -> {
                    StoredToken token = listed.token();
                    Instant end = token.revokedAt().filter(at::isAfter).orElse(at);
                    return new ListedToken(
                            new StoredToken(id, token.verifier(), token.grant(), Optional.of(end)), listed.usedAt());
                }))
                .map(ListedToken::token));
    }

    @Override
    public CompletionStage<Done> use(TokenId id, Instant at) {
        tokens.computeIfPresent(id, (same, listed) -> new ListedToken(listed.token(), Optional.of(at)));
        return answer(Done.getInstance());
    }

    @Override
    public CompletionStage<Done> remove(TokenId id) {
        tokens.remove(id);
        return answer(Done.getInstance());
    }
}
