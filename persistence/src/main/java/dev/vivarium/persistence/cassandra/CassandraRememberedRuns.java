package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;

/** A partition per shard, with a row for each of its live runs. */
final class CassandraRememberedRuns implements RememberedRuns {
    private static final String REMEMBER = "INSERT INTO remembered_run (shard, run_id) VALUES (?, ?)";
    private static final String FORGET = "DELETE FROM remembered_run WHERE shard = ? AND run_id = ?";
    private static final String ALL = "SELECT run_id FROM remembered_run WHERE shard = ?";
    private static final String SHARDS = "SELECT DISTINCT shard FROM remembered_run";

    private final Cassandra cassandra;

    CassandraRememberedRuns(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<Done> remember(String shard, RunId run) {
        return cassandra.write("remember a run", REMEMBER, shard, run.value());
    }

    @Override
    public CompletionStage<Done> forget(String shard, RunId run) {
        return cassandra.write("forget a run", FORGET, shard, run.value());
    }

    @Override
    public CompletionStage<Set<RunId>> in(String shard) {
        return cassandra
                .rows("list the remembered runs of shard " + shard, ALL, shard)
                .thenApply(rows ->
                        rows.stream().map(CassandraRememberedRuns::run).collect(Collectors.toUnmodifiableSet()));
    }

    @Override
    public CompletionStage<Set<String>> shards() {
        return cassandra.rows("list the shards of remembered runs", SHARDS).thenApply(rows -> rows.stream()
                .map(row -> String.valueOf(row.getString("shard")))
                .collect(Collectors.toUnmodifiableSet()));
    }

    private static RunId run(Row row) {
        return new RunId(String.valueOf(row.getString("run_id")));
    }
}
