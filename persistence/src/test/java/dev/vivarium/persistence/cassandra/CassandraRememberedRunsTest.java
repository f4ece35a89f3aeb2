package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.RememberedRunsContract;
import dev.vivarium.persistence.store.RememberedRuns;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraRememberedRunsTest extends RememberedRunsContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected RememberedRuns remembered() {
        return CASSANDRA.store().rememberedRuns();
    }

    @Override
    protected RememberedRuns elsewhere() {
        return new CassandraRememberedRuns(CASSANDRA.store().cassandra());
    }
}
