package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.contract.NamedSecretsContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresNamedSecretsTest extends NamedSecretsContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected NamedSecretTable table() {
        return new PostgresNamedSecrets(POSTGRES.store().database());
    }
}
