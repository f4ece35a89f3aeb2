package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.ClaimedKeysContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.ClaimedKeys;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresClaimedKeysTest extends ClaimedKeysContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected ClaimedKeys keys() {
        return POSTGRES.store().idempotencyKeys();
    }

    @Override
    protected ClaimedKeys elsewhere() {
        return POSTGRES.store().idempotencyKeys();
    }
}
