package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.contract.WebhookStoreContract;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.store.WebhookStore;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresWebhooksTest extends WebhookStoreContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    @Override
    protected WebhookStore webhooks() {
        return POSTGRES.store().webhooks();
    }

    @Override
    protected WebhookStore elsewhere() {
        return POSTGRES.store().webhooks();
    }

    @Test
    void whatIsOldIsRemoved() {
        whatWasQueuedIsSeenOnEveryNodeAsItWasQueued();

        join(webhooks().forget(Instant.now().plusSeconds(60)));

        assertThat(join(webhooks().pending(Instant.EPOCH, 10))).isEmpty();
    }
}
