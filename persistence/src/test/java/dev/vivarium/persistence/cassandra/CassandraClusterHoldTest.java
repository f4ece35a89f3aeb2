package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.ClusterHoldContract;
import dev.vivarium.persistence.hold.ClusterHold;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraClusterHoldTest extends ClusterHoldContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected ClusterHold hold() {
        return CASSANDRA.store().clusterHold().orElseThrow();
    }

    @Override
    protected ClusterHold elsewhere() {
        return new CassandraClusterHold(CASSANDRA.store().cassandra());
    }
}
