package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Legal holds, a row for each tenant, in which they and deletions take turns. */
final class CassandraHolds implements HoldStore {
    private static final String LIST = "SELECT tenant, reason, put_by, put_at FROM retention_hold";
    private static final String FIND = LIST + " WHERE tenant = ?";
    private static final String REMOVE =
            "UPDATE retention_hold SET reason = null, put_by = null, put_at = null WHERE tenant = ? IF put_at = ?";

    private final Cassandra cassandra;
    private final DeletionTurns turns;

    CassandraHolds(Cassandra cassandra, DeletionTurns turns) {
        this.cassandra = cassandra;
        this.turns = turns;
    }

    @Override
    public CompletionStage<List<LegalHold>> list() {
        return cassandra.rows("list the legal holds", LIST).thenApply(rows -> rows.stream()
                .map(CassandraHolds::hold)
                .flatMap(Optional::stream)
                .sorted(Comparator.comparing(LegalHold::tenant))
                .toList());
    }

    @Override
    public CompletionStage<Done> put(LegalHold hold) {
        return cassandra.work("put a legal hold", () -> {
            turns.hold(hold);
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<Optional<LegalHold>> remove(Tenant tenant) {
        return cassandra
                .settledRows("look for a legal hold", FIND, tenant.name())
                .thenCompose(rows -> rows.stream()
                        .map(CassandraHolds::hold)
                        .flatMap(Optional::stream)
                        .findFirst()
                        .map(this::remove)
                        .orElseGet(() -> CompletableFuture.completedStage(Optional.empty())));
    }

    /** Once more where it was put again meanwhile. */
    private CompletionStage<Optional<LegalHold>> remove(LegalHold hold) {
        return cassandra
                .ifSo(
                        "remove a legal hold",
                        List.of(new Cql(REMOVE, hold.tenant().name(), hold.putAt())))
                .thenCompose(verdict -> verdict.isApplied()
                        ? CompletableFuture.completedStage(Optional.of(hold))
                        : remove(hold.tenant()));
    }

    private static Optional<LegalHold> hold(Row row) {
        return Optional.ofNullable(row.getInstant("put_at")).map(at -> hold(row, at));
    }

    private static LegalHold hold(Row row, Instant at) {
        return new LegalHold(
                new Tenant(String.valueOf(row.getString("tenant"))),
                Optional.ofNullable(row.getString("reason")),
                Principal.parse(String.valueOf(row.getString("put_by"))),
                at);
    }
}
