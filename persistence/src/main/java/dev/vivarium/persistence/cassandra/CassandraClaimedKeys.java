package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Keys in a table written by lightweight transactions only, so that the first claim stays. */
final class CassandraClaimedKeys implements ClaimedKeys {
    private static final String CLAIM = "INSERT INTO claimed_key (key, run_id) VALUES (?, ?) IF NOT EXISTS";

    private final Cassandra cassandra;

    CassandraClaimedKeys(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    @Override
    public CompletionStage<RunId> claim(Blob key, RunId candidate) {
        return cassandra
                .ifSo(
                        "claim an idempotency key",
                        List.of(new Cql(CLAIM, ByteBuffer.wrap(key.toByteArray()), candidate.value())))
                .thenApply(verdict -> verdict.row()
                        .map(existing -> new RunId(String.valueOf(existing.getString("run_id"))))
                        .orElse(candidate));
    }
}
