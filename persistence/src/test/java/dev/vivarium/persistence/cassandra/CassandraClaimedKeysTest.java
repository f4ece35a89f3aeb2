package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.ClaimedKeysContract;
import dev.vivarium.persistence.store.ClaimedKeys;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraClaimedKeysTest extends ClaimedKeysContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected ClaimedKeys keys() {
        return CASSANDRA.store().idempotencyKeys();
    }

    @Override
    protected ClaimedKeys elsewhere() {
        return new CassandraClaimedKeys(CASSANDRA.store().cassandra());
    }
}
