package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.StoreOwnershipContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.StoreOwnership;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresStoreOwnershipTest extends StoreOwnershipContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected StoreOwnership hold() {
        return POSTGRES.store().clusterHold().orElseThrow();
    }

    @Override
    protected StoreOwnership elsewhere() {
        return POSTGRES.store().clusterHold().orElseThrow();
    }
}
