package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.OutputStoreContract;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraOutputTest extends OutputStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected Store store() {
        return CASSANDRA.store();
    }

    @Test
    void outputFromBeforeProcessesBelongsToTheRunsCommand() {
        RunId run = Fixtures.run(1);
        try (CqlSession session = TestStore.session()) {
            session.execute("INSERT INTO " + CASSANDRA.settings().keyspace()
                    + ".run_output (run_id, part, byte_offset, attempt, stream, at, data) VALUES ('" + run
                    + "', 0, 0, 1, 1, 0, 0x6f6c64)");
        }

        assertThat(store().output().read(run, 0, 100).toCompletableFuture().join())
                .extracting(OutputChunk::process)
                .containsExactly(ProcessId.COMMAND);
    }
}
