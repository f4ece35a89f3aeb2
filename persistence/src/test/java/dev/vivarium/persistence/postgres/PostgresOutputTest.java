package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.OutputStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.Store;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresOutputTest extends OutputStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected Store store() {
        return POSTGRES.store();
    }
}
