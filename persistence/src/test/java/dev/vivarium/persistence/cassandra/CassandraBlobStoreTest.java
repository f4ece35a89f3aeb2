package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.content.BlobLeftovers;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.persistence.contract.BlobStoreContract;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraBlobStoreTest extends BlobStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static JournalWriter writer;

    @BeforeAll
    static void start() {
        writer = new JournalWriter(CASSANDRA.store());
    }

    @AfterAll
    static void stop() {
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
    protected BlobTables tables() {
        return new CassandraBlobs(CASSANDRA.store().cassandra());
    }

    @Override
    protected BlobLeftovers leftovers() {
        return new CassandraBlobLeftovers(
                CASSANDRA.store().cassandra(),
                new CassandraBlobs(CASSANDRA.store().cassandra()));
    }
}
