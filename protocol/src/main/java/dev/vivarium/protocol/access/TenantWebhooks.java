package dev.vivarium.protocol.access;

import dev.vivarium.protocol.run.Webhook;
import java.util.List;
import java.util.Optional;

/**
 * What operators have set for the webhooks of a tenant.
 *
 * @param fallback the webhook of submissions that name none
 * @param keys the keys that sign, the latest first; without one, no run of the tenant may have a webhook
 */
public record TenantWebhooks(Optional<Webhook> fallback, List<WebhookKey> keys) {
    /** Nothing is set. */
    public static final TenantWebhooks NONE = new TenantWebhooks(Optional.empty(), List.of());

    public TenantWebhooks {
        keys = List.copyOf(keys);
    }
}
