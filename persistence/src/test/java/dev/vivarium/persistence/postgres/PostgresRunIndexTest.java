package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.contract.RunIndexContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresRunIndexTest extends RunIndexContract {
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
}
