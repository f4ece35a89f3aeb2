package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.TokenGrantJson;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/**
 * Tokens, a partition each, changed by lightweight transactions, so that the earliest revocation stays. The few of an
 * installation are listed by reading all partitions. Uses are in a table of their own: their order is that of their times,
 * whatever the order of the writes.
 */
final class CassandraTokens implements TokenStore {
    private static final String ADD = "INSERT INTO api_token (id, verifier, granted) VALUES (?, ?, ?) IF NOT EXISTS";
    private static final String FIND = "SELECT id, verifier, granted, revoked_at FROM api_token WHERE id = ?";
    private static final String LIST = "SELECT id, verifier, granted, revoked_at FROM api_token";
    /** The second condition keeps it from making a row of a token that is removed at the same time. */
    private static final String REVOKE =
            "UPDATE api_token SET revoked_at = ? WHERE id = ? IF revoked_at = ? AND verifier = ?";

    private static final String REMOVE = "DELETE FROM api_token WHERE id = ? IF EXISTS";
    private static final String USE = "INSERT INTO api_token_use (id, used_at) VALUES (?, ?) USING TIMESTAMP ?";
    private static final String USES = "SELECT id, used_at FROM api_token_use";
    private static final String FORGET_USE = "DELETE FROM api_token_use WHERE id = ?";

    private final Cassandra cassandra;

    CassandraTokens(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<Done> add(TokenId id, Blob verifier, TokenGrant grant) {
        return cassandra
                .ifSo(
                        "store a token",
                        List.of(new Cql(
                                ADD, id.value(), ByteBuffer.wrap(verifier.toByteArray()), TokenGrantJson.text(grant))))
                .thenApply(verdict -> {
                    if (!verdict.isApplied()) {
                        throw new StoreUnavailable("The store cannot store a token: its id is taken.");
                    }
                    return Done.getInstance();
                });
    }

    @Override
    public CompletionStage<Optional<StoredToken>> find(TokenId id) {
        return cassandra
                .settledRows("look for a token", FIND, id.value())
                .thenApply(rows -> rows.stream().findFirst().map(CassandraTokens::token));
    }

    @Override
    public CompletionStage<List<ListedToken>> list() {
        CompletionStage<Map<String, Instant>> uses = cassandra
                .rows("list the uses of tokens", USES)
                .thenApply(rows -> rows.stream()
                        .collect(
                                Collectors.toMap(row -> String.valueOf(row.getString("id")), row -> time(row, "used_at")
                                        .orElseThrow())));
        return cassandra.rows("list the tokens", LIST).thenCombine(uses, (rows, used) -> rows.stream()
                .map(CassandraTokens::token)
                .map(token -> new ListedToken(
                        token, Optional.ofNullable(used.get(token.id().value()))))
                .toList());
    }

    @Override
    public CompletionStage<Optional<StoredToken>> revoke(TokenId id, Instant at) {
        return find(id).thenCompose(found -> {
            if (found.isEmpty() || found.get().revokedAt().filter(at::isAfter).isPresent()) {
                return CompletableFuture.completedStage(found);
            }
            StoredToken token = found.get();
            @Nullable Instant before = token.revokedAt().orElse(null);
            return cassandra
                    .ifSo(
                            "revoke a token",
                            List.of(new Cql(
                                    REVOKE,
                                    at,
                                    id.value(),
                                    before,
                                    ByteBuffer.wrap(token.verifier().toByteArray()))))
                    .thenCompose(verdict -> verdict.isApplied() ? find(id) : revoke(id, at));
        });
    }

    @Override
    public CompletionStage<Done> use(TokenId id, Instant at) {
        long micros = TimeUnit.SECONDS.toMicros(at.getEpochSecond()) + TimeUnit.NANOSECONDS.toMicros(at.getNano());
        return cassandra.write("note the use of a token", USE, id.value(), at, micros);
    }

    @Override
    public CompletionStage<Done> remove(TokenId id) {
        return cassandra
                .ifSo("remove a token", List.of(new Cql(REMOVE, id.value())))
                .thenCompose(removed -> cassandra.write("remove the use of a token", FORGET_USE, id.value()));
    }

    private static StoredToken token(Row row) {
        ByteBuffer verifier = row.getByteBuffer("verifier");
        if (verifier == null) {
            throw new StoreUnavailable("The store has lost a part of token " + row.getString("id") + ".");
        }
        byte[] bytes = new byte[verifier.remaining()];
        verifier.get(bytes);
        return new StoredToken(
                new TokenId(String.valueOf(row.getString("id"))),
                Blob.of(bytes),
                TokenGrantJson.of(String.valueOf(row.getString("granted"))),
                time(row, "revoked_at"));
    }

    private static Optional<Instant> time(Row row, String column) {
        return Optional.ofNullable(row.getInstant(column));
    }
}
