package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobLeftovers;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.persistence.contract.BlobStoreContract;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresBlobStoreTest extends BlobStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static JournalWriter writer;
    private static Database database;

    @BeforeAll
    static void start() {
        writer = new JournalWriter(POSTGRES.store());
        database = new Database(POSTGRES.address());
    }

    @AfterAll
    static void stop() {
        writer.close();
        database.close();
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
    protected BlobTables tables() {
        return new PostgresBlobs(database);
    }

    @Override
    protected BlobLeftovers leftovers() {
        return new PostgresBlobLeftovers(database);
    }
}
