package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.NamedSecretSeal.Sealed;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.pekko.Done;

/**
 * Secrets of tenants, a partition for each tenant, changed by lightweight transactions. Uses are in a table of their own:
 * their order is that of their times, whatever the order of the writes.
 */
final class CassandraNamedSecrets implements NamedSecretTable {
    private static final String ROWS = "SELECT tenant, name, version, master, sealed, put_by, put_at FROM named_secret";
    private static final String FIND = ROWS + " WHERE tenant = ? AND name = ?";
    private static final String LIST =
            "SELECT tenant, name, version, put_by, put_at FROM named_secret WHERE tenant = ?";
    private static final String MASTERS = "SELECT tenant, name, master FROM named_secret";
    private static final String BEGIN =
            "INSERT INTO named_secret (master, sealed, put_by, put_at, version, tenant, name)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS";
    private static final String REPLACE = "UPDATE named_secret SET master = ?, sealed = ?, put_by = ?, put_at = ?,"
            + " version = ? WHERE tenant = ? AND name = ? IF version = ?";
    private static final String RESEAL = "UPDATE named_secret SET master = ?, sealed = ? WHERE tenant = ? AND name = ?"
            + " IF version = ? AND master = ?";
    private static final String REMOVE = "DELETE FROM named_secret WHERE tenant = ? AND name = ? IF EXISTS";
    private static final String USE =
            "INSERT INTO named_secret_use (tenant, name, used_at) VALUES (?, ?, ?) USING TIMESTAMP ?";
    private static final String USES = "SELECT name, used_at FROM named_secret_use WHERE tenant = ?";
    private static final String FORGET_USE = "DELETE FROM named_secret_use WHERE tenant = ? AND name = ?";

    private final Cassandra cassandra;

    CassandraNamedSecrets(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<Optional<SealedSecret>> find(Tenant tenant, SecretName name) {
        return cassandra
                .settledRows("look for a secret", FIND, tenant.name(), name.value())
                .thenApply(rows -> rows.stream().findFirst().map(CassandraNamedSecrets::row));
    }

    /** Settled, so that a secret that was just put can be named by whoever put it, on any node. */
    @Override
    public CompletionStage<List<Listed>> list(Tenant tenant) {
        CompletionStage<Map<String, Instant>> uses = cassandra
                .rows("list the uses of secrets", USES, tenant.name())
                .thenApply(rows -> rows.stream()
                        .collect(Collectors.toMap(row -> text(row, "name"), row -> instant(row, "used_at"))));
        return cassandra
                .settledRows("list the secrets of a tenant", LIST, tenant.name())
                .thenCombine(uses, (rows, used) -> rows.stream()
                        .map(row -> new Listed(
                                new Tenant(text(row, "tenant")),
                                new SecretName(text(row, "name")),
                                row.getLong("version"),
                                Principal.parse(text(row, "put_by")),
                                instant(row, "put_at"),
                                Optional.ofNullable(used.get(text(row, "name")))))
                        .toList());
    }

    @Override
    public CompletionStage<Boolean> put(SealedSecret row) {
        ByteBuffer sealed = ByteBuffer.wrap(row.sealed().bytes().toByteArray());
        String master = row.sealed().master();
        String by = row.putBy().toString();
        String tenant = row.tenant().name();
        String name = row.name().value();
        Cql change = row.version() == 1
                ? new Cql(BEGIN, master, sealed, by, row.putAt(), row.version(), tenant, name)
                : new Cql(REPLACE, master, sealed, by, row.putAt(), row.version(), tenant, name, row.version() - 1);
        return applied("store a secret", change);
    }

    @Override
    public CompletionStage<Boolean> reseal(SealedSecret row, String before) {
        return applied(
                "seal a secret again",
                new Cql(
                        RESEAL,
                        row.sealed().master(),
                        ByteBuffer.wrap(row.sealed().bytes().toByteArray()),
                        row.tenant().name(),
                        row.name().value(),
                        row.version(),
                        before));
    }

    @Override
    public CompletionStage<Boolean> remove(Tenant tenant, SecretName name) {
        return applied("remove a secret", new Cql(REMOVE, tenant.name(), name.value()))
                .thenCompose(removed -> cassandra
                        .write("remove the use of a secret", FORGET_USE, tenant.name(), name.value())
                        .thenApply(forgotten -> removed));
    }

    @Override
    public CompletionStage<Done> use(Tenant tenant, SecretName name, Instant at) {
        long micros = TimeUnit.SECONDS.toMicros(at.getEpochSecond()) + TimeUnit.NANOSECONDS.toMicros(at.getNano());
        return cassandra.write("note the use of a secret", USE, tenant.name(), name.value(), at, micros);
    }

    /** Reads the names of master keys of all partitions, which is for a sweep now and then. */
    @Override
    public CompletionStage<List<SealedSecret>> notSealedWith(String master, int max) {
        return cassandra
                .rows("look for secrets of other master keys", MASTERS)
                .thenCompose(rows -> Cassandra.all(rows.stream()
                        .filter(row -> !master.equals(row.getString("master")))
                        .limit(max)
                        .map(row -> find(new Tenant(text(row, "tenant")), new SecretName(text(row, "name"))))
                        .toList()))
                .thenApply(found -> found.stream().flatMap(Optional::stream).toList());
    }

    private CompletionStage<Boolean> applied(String what, Cql change) {
        return cassandra.ifSo(what, List.of(change)).thenApply(Cassandra.Verdict::isApplied);
    }

    private static SealedSecret row(Row row) {
        return new SealedSecret(
                new Tenant(text(row, "tenant")),
                new SecretName(text(row, "name")),
                row.getLong("version"),
                new Sealed(
                        text(row, "master"),
                        CassandraRunJournal.bytes(
                                row, row.getColumnDefinitions().firstIndexOf("sealed"))),
                Principal.parse(text(row, "put_by")),
                instant(row, "put_at"));
    }

    private static String text(Row row, String column) {
        return String.valueOf(row.getString(column));
    }

    private static Instant instant(Row row, String column) {
        Instant time = row.getInstant(column);
        if (time == null) {
            throw new StoreUnavailable("The store has lost a part of secret " + row.getString("name") + ".");
        }
        return time;
    }
}
