package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.TokenStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.TokenStore;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresTokensTest extends TokenStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected TokenStore tokens() {
        return POSTGRES.store().tokens();
    }

    @Override
    protected TokenStore elsewhere() {
        return POSTGRES.store().tokens();
    }

    @Override
    protected TokenSeal seal() {
        return POSTGRES.store().tokenSeal();
    }

    @Override
    protected TokenSeal sealElsewhere() {
        return POSTGRES.store().tokenSeal();
    }
}
