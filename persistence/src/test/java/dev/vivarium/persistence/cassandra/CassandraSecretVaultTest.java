package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.SecretVaultContract;
import dev.vivarium.persistence.secrets.SecretVault;
import java.time.Clock;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraSecretVaultTest extends SecretVaultContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected SecretVault vault() {
        return CASSANDRA.store().secrets();
    }

    @Override
    protected SecretVault elsewhere() {
        return new CassandraSecretVault(
                CASSANDRA.store().cassandra(),
                MasterKeys.read(CASSANDRA.settings().masterKey()),
                Clock.systemUTC());
    }
}
