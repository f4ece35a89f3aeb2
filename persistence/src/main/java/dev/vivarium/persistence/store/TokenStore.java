package dev.vivarium.persistence.store;

import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The tokens of an installation, for all of its nodes. What is stored proves nothing: see {@link
 * dev.vivarium.persistence.secrets.TokenSeal}. Every stage fails with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public interface TokenStore {
    /**
     * A token as it is stored.
     *
     * @param verifier what a presented token is compared with
     * @param revokedAt when it ends before its expiry; may lie in the future
     */
    record StoredToken(TokenId id, Blob verifier, TokenGrant grant, Optional<Instant> revokedAt) {
        /** When it ends. */
        public Instant end() {
            return revokedAt.filter(grant.expiresAt()::isAfter).orElse(grant.expiresAt());
        }
    }

    /**
     * A token in a list.
     *
     * @param usedAt its last use that was noted; nodes note one a minute
     */
    record ListedToken(StoredToken token, Optional<Instant> usedAt) {}

    /** Stores a token, durably; fails when its id is taken. */
    CompletionStage<Done> add(TokenId id, Blob verifier, TokenGrant grant);

    /** The token as it is now, on whichever node it was changed last. */
    CompletionStage<Optional<StoredToken>> find(TokenId id);

    /** All tokens, in no particular order; also those that have ended. */
    CompletionStage<List<ListedToken>> list();

    /**
     * Ends a token at a time, durably. An earlier end that it has stays.
     *
     * @return the token, or nothing when there is none of this id
     */
    CompletionStage<Optional<StoredToken>> revoke(TokenId id, Instant at);

    /** Notes a use; an earlier one than is noted changes nothing. */
    CompletionStage<Done> use(TokenId id, Instant at);

    /** Removes a token and all about it. Idempotent. */
    CompletionStage<Done> remove(TokenId id);
}
