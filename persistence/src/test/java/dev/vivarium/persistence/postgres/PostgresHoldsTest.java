package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.HoldStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.HoldStore;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresHoldsTest extends HoldStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected HoldStore holds() {
        return POSTGRES.store().holds();
    }
}
