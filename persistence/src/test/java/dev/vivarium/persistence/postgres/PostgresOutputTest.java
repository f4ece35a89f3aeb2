package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.Store;
import dev.vivarium.persistence.contract.OutputStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresOutputTest extends OutputStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected Store store() {
        return POSTGRES.store();
    }
}
