package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.TokenGrantJson;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Tokens in a table, a row each. */
final class PostgresTokens implements TokenStore {
    private static final String ADD = "INSERT INTO api_token (id, verifier, granted) VALUES (?, ?, ?)";
    private static final String FIND = "SELECT id, verifier, granted, revoked_at FROM api_token WHERE id = ?";
    private static final String LIST = "SELECT id, verifier, granted, revoked_at, used_at FROM api_token";
    /** PostgreSQL's least and greatest pass over NULL. */
    private static final String REVOKE = "UPDATE api_token SET revoked_at = least(revoked_at, ?) WHERE id = ?"
            + " RETURNING id, verifier, granted, revoked_at";

    private static final String USE = "UPDATE api_token SET used_at = greatest(used_at, ?) WHERE id = ?";
    private static final String REMOVE = "DELETE FROM api_token WHERE id = ?";

    private final Database database;

    PostgresTokens(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Done> add(TokenId id, Blob verifier, TokenGrant grant) {
        return changed("store a token", ADD, statement -> {
            statement.setString(1, id.value());
            statement.setBytes(2, verifier.toByteArray());
            statement.setString(3, TokenGrantJson.text(grant));
        });
    }

    @Override
    public CompletionStage<Optional<StoredToken>> find(TokenId id) {
        return database.query("look for a token", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(FIND)) {
                statement.setString(1, id.value());
                return first(statement);
            }
        });
    }

    @Override
    public CompletionStage<List<ListedToken>> list() {
        return database.query("list the tokens", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(LIST);
                    ResultSet rows = statement.executeQuery()) {
                List<ListedToken> tokens = new ArrayList<>();
                while (rows.next()) {
                    tokens.add(new ListedToken(token(rows), time(rows, "used_at")));
                }
                return tokens;
            }
        });
    }

    @Override
    public CompletionStage<Optional<StoredToken>> revoke(TokenId id, Instant at) {
        return database.atOnce("revoke a token", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(REVOKE)) {
                statement.setObject(1, at.atOffset(ZoneOffset.UTC));
                statement.setString(2, id.value());
                return first(statement);
            }
        });
    }

    @Override
    public CompletionStage<Done> use(TokenId id, Instant at) {
        return changed("note the use of a token", USE, statement -> {
            statement.setObject(1, at.atOffset(ZoneOffset.UTC));
            statement.setString(2, id.value());
        });
    }

    @Override
    public CompletionStage<Done> remove(TokenId id) {
        return changed("remove a token", REMOVE, statement -> statement.setString(1, id.value()));
    }

    /** Sets a statement's parameters. */
    private interface Parameters {
        void on(PreparedStatement statement) throws SQLException;
    }

    private CompletionStage<Done> changed(String what, String sql, Parameters parameters) {
        return database.atOnce(what, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                parameters.on(statement);
                statement.executeUpdate();
                return Done.getInstance();
            }
        });
    }

    private static Optional<StoredToken> first(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            return rows.next() ? Optional.of(token(rows)) : Optional.empty();
        }
    }

    private static StoredToken token(ResultSet rows) throws SQLException {
        return new StoredToken(
                new TokenId(rows.getString("id")),
                Blob.of(rows.getBytes("verifier")),
                TokenGrantJson.of(rows.getString("granted")),
                time(rows, "revoked_at"));
    }

    private static Optional<Instant> time(ResultSet rows, String column) throws SQLException {
        return Optional.ofNullable(rows.getObject(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }
}
