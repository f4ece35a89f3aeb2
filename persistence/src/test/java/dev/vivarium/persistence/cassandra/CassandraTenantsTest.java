package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.TenantStoreContract;
import dev.vivarium.persistence.store.TenantStore;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraTenantsTest extends TenantStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected TenantStore tenants() {
        return CASSANDRA.store().tenants();
    }

    @Override
    protected TenantStore elsewhere() {
        return new CassandraTenants(CASSANDRA.store().cassandra());
    }
}
