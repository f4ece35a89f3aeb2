package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.contract.WebhookStoreContract;
import dev.vivarium.persistence.store.WebhookStore;
import java.time.Clock;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraWebhooksTest extends WebhookStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    @Override
    protected WebhookStore webhooks() {
        return CASSANDRA.store().webhooks();
    }

    @Override
    protected WebhookStore elsewhere() {
        return new CassandraWebhooks(CASSANDRA.store().cassandra(), Clock.systemUTC());
    }
}
