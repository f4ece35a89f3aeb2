package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.secrets.NamedSecretSeal.Sealed;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.SecretName;
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

/** Secrets of tenants in a table, a row each. */
final class PostgresNamedSecrets implements NamedSecretTable {
    private static final String ROWS = "SELECT tenant, name, version, master, sealed, put_by, put_at FROM named_secret";
    private static final String FIND = ROWS + " WHERE tenant = ? AND name = ?";
    private static final String NOT_SEALED_WITH = ROWS + " WHERE master <> ? LIMIT ?";
    private static final String LIST =
            "SELECT tenant, name, version, put_by, put_at, used_at FROM named_secret WHERE tenant = ?";
    private static final String BEGIN =
            "INSERT INTO named_secret (master, sealed, put_by, put_at, version, tenant, name)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    private static final String REPLACE = "UPDATE named_secret SET master = ?, sealed = ?, put_by = ?, put_at = ?,"
            + " version = version + 1 WHERE version = ? - 1 AND tenant = ? AND name = ?";
    private static final String RESEAL =
            "UPDATE named_secret SET master = ?, sealed = ? WHERE tenant = ? AND name = ? AND version = ? AND master = ?";
    private static final String REMOVE = "DELETE FROM named_secret WHERE tenant = ? AND name = ?";
    /** PostgreSQL's greatest passes over NULL. */
    private static final String USE =
            "UPDATE named_secret SET used_at = greatest(used_at, ?) WHERE tenant = ? AND name = ?";

    private final Database database;

    PostgresNamedSecrets(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Optional<SealedSecret>> find(Tenant tenant, SecretName name) {
        return database.query("look for a secret", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(FIND)) {
                statement.setString(1, tenant.name());
                statement.setString(2, name.value());
                return rows(statement).stream().findFirst();
            }
        });
    }

    @Override
    public CompletionStage<List<Listed>> list(Tenant tenant) {
        return database.query("list the secrets of a tenant", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(LIST)) {
                statement.setString(1, tenant.name());
                try (ResultSet rows = statement.executeQuery()) {
                    List<Listed> secrets = new ArrayList<>();
                    while (rows.next()) {
                        secrets.add(new Listed(
                                new Tenant(rows.getString("tenant")),
                                new SecretName(rows.getString("name")),
                                rows.getLong("version"),
                                Principal.parse(rows.getString("put_by")),
                                rows.getObject("put_at", OffsetDateTime.class).toInstant(),
                                Optional.ofNullable(rows.getObject("used_at", OffsetDateTime.class))
                                        .map(OffsetDateTime::toInstant)));
                    }
                    return secrets;
                }
            }
        });
    }

    @Override
    public CompletionStage<Boolean> put(SealedSecret row) {
        return changed("store a secret", row.version() == 1 ? BEGIN : REPLACE, statement -> {
            statement.setString(1, row.sealed().master());
            statement.setBytes(2, row.sealed().bytes().toByteArray());
            statement.setString(3, row.putBy().toString());
            statement.setObject(4, row.putAt().atOffset(ZoneOffset.UTC));
            statement.setLong(5, row.version());
            statement.setString(6, row.tenant().name());
            statement.setString(7, row.name().value());
        });
    }

    @Override
    public CompletionStage<Boolean> reseal(SealedSecret row, String before) {
        return changed("seal a secret again", RESEAL, statement -> {
            statement.setString(1, row.sealed().master());
            statement.setBytes(2, row.sealed().bytes().toByteArray());
            statement.setString(3, row.tenant().name());
            statement.setString(4, row.name().value());
            statement.setLong(5, row.version());
            statement.setString(6, before);
        });
    }

    @Override
    public CompletionStage<Boolean> remove(Tenant tenant, SecretName name) {
        return changed("remove a secret", REMOVE, statement -> {
            statement.setString(1, tenant.name());
            statement.setString(2, name.value());
        });
    }

    @Override
    public CompletionStage<Done> use(Tenant tenant, SecretName name, Instant at) {
        return changed("note the use of a secret", USE, statement -> {
                    statement.setObject(1, at.atOffset(ZoneOffset.UTC));
                    statement.setString(2, tenant.name());
                    statement.setString(3, name.value());
                })
                .thenApply(used -> Done.getInstance());
    }

    @Override
    public CompletionStage<List<SealedSecret>> notSealedWith(String master, int max) {
        return database.query("look for secrets of other master keys", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(NOT_SEALED_WITH)) {
                statement.setString(1, master);
                statement.setInt(2, max);
                return rows(statement);
            }
        });
    }

    private static List<SealedSecret> rows(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<SealedSecret> secrets = new ArrayList<>();
            while (rows.next()) {
                secrets.add(new SealedSecret(
                        new Tenant(rows.getString("tenant")),
                        new SecretName(rows.getString("name")),
                        rows.getLong("version"),
                        new Sealed(rows.getString("master"), Blob.of(rows.getBytes("sealed"))),
                        Principal.parse(rows.getString("put_by")),
                        rows.getObject("put_at", OffsetDateTime.class).toInstant()));
            }
            return secrets;
        }
    }

    /** Sets a statement's parameters. */
    private interface Parameters {
        void on(PreparedStatement statement) throws SQLException;
    }

    private CompletionStage<Boolean> changed(String what, String sql, Parameters parameters) {
        return database.atOnce(what, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                parameters.on(statement);
                return statement.executeUpdate() == 1;
            }
        });
    }
}
