package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.TenantStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.TenantStore;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresTenantsTest extends TenantStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected TenantStore tenants() {
        return POSTGRES.store().tenants();
    }

    @Override
    protected TenantStore elsewhere() {
        return POSTGRES.store().tenants();
    }
}
