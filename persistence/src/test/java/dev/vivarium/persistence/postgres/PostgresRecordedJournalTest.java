package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RecordedJournalContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.RunId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresRecordedJournalTest extends RecordedJournalContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static JournalWriter writer;

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(POSTGRES.store());
    }

    @AfterAll
    static void stopWriter() {
        writer.close();
    }

    @Override
    protected Store store() {
        return POSTGRES.store();
    }

    @Override
    protected JournalWriter writer() {
        return writer;
    }

    @Override
    protected ChainCheck.Verdict check(RunId run) {
        return POSTGRES.store().journal().check(run).toCompletableFuture().join();
    }
}
