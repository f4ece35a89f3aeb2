package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.NamedSecretsContract;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraNamedSecretsTest extends NamedSecretsContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected NamedSecretTable table() {
        return new CassandraNamedSecrets(CASSANDRA.store().cassandra());
    }
}
