package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RunIndexContract;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.RunId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraRunIndexTest extends RunIndexContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static JournalWriter writer;

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(CASSANDRA.store());
    }

    @AfterAll
    static void stopWriter() {
        writer.close();
    }

    @Override
    protected Store store() {
        return CASSANDRA.store();
    }

    @Override
    protected JournalWriter writer() {
        return writer;
    }

    @Override
    protected void damageFirstEntry(RunId run) {
        CASSANDRA
                .store()
                .cassandra()
                .write(
                        "test",
                        "DELETE FROM messages WHERE persistence_id = ? AND partition_nr = 0 AND sequence_nr = 1",
                        RunPersistenceId.of(run).id())
                .toCompletableFuture()
                .join();
    }
}
