package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.JournalContract;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraJournalTest extends JournalContract {
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
}
