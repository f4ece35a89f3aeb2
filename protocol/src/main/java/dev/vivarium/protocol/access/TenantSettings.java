package dev.vivarium.protocol.access;

import dev.vivarium.protocol.auth.Principal;
import java.time.Instant;
import java.util.Map;

/**
 * What an operator has set for a tenant, besides the configuration.
 *
 * @param quotas amounts by the names of quotas, in their units; names of a newer version stay as they are
 * @param webhooks its webhooks; absent in what earlier versions have stored
 * @param by who changed them last
 * @param at when
 */
public record TenantSettings(Map<String, Long> quotas, TenantWebhooks webhooks, Principal by, Instant at) {
    public TenantSettings {
        quotas = Map.copyOf(quotas);
    }
}
