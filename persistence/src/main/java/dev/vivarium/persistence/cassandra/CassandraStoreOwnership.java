package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.store.StoreOwnership;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** One row written by lightweight transactions only; it does not exist before the store's first owner. */
final class CassandraStoreOwnership implements StoreOwnership {
    private static final String CURRENT = "SELECT holder, beat FROM cluster_hold WHERE id = 'vivarium'";
    private static final String BEGIN =
            "INSERT INTO cluster_hold (id, holder, beat) VALUES ('vivarium', ?, ?) IF NOT EXISTS";
    private static final String GO_ON =
            "UPDATE cluster_hold SET holder = ?, beat = ? WHERE id = 'vivarium' IF holder = ? AND beat = ?";

    private final Cassandra cassandra;

    CassandraStoreOwnership(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<Hold> current() {
        return cassandra.settledRows("read which cluster owns it", CURRENT).thenApply(rows -> rows.stream()
                .findFirst()
                .map(row -> new Hold(String.valueOf(row.getString(0)), row.getLong(1)))
                .orElse(Hold.FREE));
    }

    @Override
    public CompletionStage<Change> change(Hold seen, Hold next) {
        Cql statement = seen.equals(Hold.FREE)
                ? new Cql(BEGIN, next.holder(), next.beat())
                : new Cql(GO_ON, next.holder(), next.beat(), seen.holder(), seen.beat());
        return cassandra
                .ifSo("record which cluster owns it", List.of(statement))
                .thenApply(verdict -> verdict.isApplied() ? Change.MADE : Change.OVERTAKEN);
    }
}
