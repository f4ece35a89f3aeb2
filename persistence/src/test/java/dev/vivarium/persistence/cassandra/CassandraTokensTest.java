package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.TokenStoreContract;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.TokenStore;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraTokensTest extends TokenStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected TokenStore tokens() {
        return CASSANDRA.store().tokens();
    }

    @Override
    protected TokenStore elsewhere() {
        return new CassandraTokens(CASSANDRA.store().cassandra());
    }

    @Override
    protected TokenSeal seal() {
        return CASSANDRA.store().tokenSeal();
    }

    @Override
    protected TokenSeal sealElsewhere() {
        return CASSANDRA.store().tokenSeal();
    }
}
