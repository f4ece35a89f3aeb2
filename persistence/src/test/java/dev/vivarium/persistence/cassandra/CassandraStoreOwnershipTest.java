package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.StoreOwnershipContract;
import dev.vivarium.persistence.store.StoreOwnership;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraStoreOwnershipTest extends StoreOwnershipContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected StoreOwnership hold() {
        return CASSANDRA.store().clusterHold().orElseThrow();
    }

    @Override
    protected StoreOwnership elsewhere() {
        return new CassandraStoreOwnership(CASSANDRA.store().cassandra());
    }
}
