package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.OutputStoreContract;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraOutputTest extends OutputStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected Store store() {
        return CASSANDRA.store();
    }
}
