package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.OutputStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresOutputTest extends OutputStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected Store store() {
        return POSTGRES.store();
    }

    @Test
    void outputFromBeforeProcessesBelongsToTheRunsCommand() throws SQLException {
        RunId run = Fixtures.run(1);
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO run_output (run_id, byte_offset, attempt, stream, at, data) VALUES ('" + run
                    + "', 0, 1, 1, now(), 'old')");
        }

        assertThat(store().output().read(run, 0, 100).toCompletableFuture().join())
                .extracting(OutputChunk::process)
                .containsExactly(ProcessId.COMMAND);
    }
}
