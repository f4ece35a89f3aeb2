package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.RememberedRunsContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.RememberedRuns;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresRememberedRunsTest extends RememberedRunsContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected RememberedRuns remembered() {
        return POSTGRES.store().rememberedRuns();
    }

    @Override
    protected RememberedRuns elsewhere() {
        return POSTGRES.store().rememberedRuns();
    }
}
