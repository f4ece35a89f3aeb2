package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.ClusterHoldContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.hold.ClusterHold;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresClusterHoldTest extends ClusterHoldContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected ClusterHold hold() {
        return POSTGRES.store().clusterHold().orElseThrow();
    }

    @Override
    protected ClusterHold elsewhere() {
        return POSTGRES.store().clusterHold().orElseThrow();
    }
}
