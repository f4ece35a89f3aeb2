package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RecordedJournalContract;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.RunId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraRecordedJournalTest extends RecordedJournalContract {
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
    protected ChainCheck.Verdict check(RunId run) {
        return CASSANDRA.store().journal().check(run).toCompletableFuture().join();
    }
}
