package dev.vivarium.protocol.api;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Webhook;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What is set for the webhooks of a tenant.
 *
 * @param webhook the webhook of submissions that name none
 * @param keys the keys that sign, the latest first, without their secrets
 */
public record TenantWebhookView(Tenant tenant, Optional<Webhook> webhook, List<Key> keys) {
    public TenantWebhookView {
        keys = List.copyOf(keys);
    }

    /**
     * A key.
     *
     * @param id its name
     * @param madeAt when it was made
     * @param endsAt when it stops signing, if a later one replaces it
     */
    public record Key(String id, Instant madeAt, Optional<Instant> endsAt) {}
}
