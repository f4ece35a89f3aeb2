package dev.vivarium.protocol.api;

/**
 * A new key for signatures of webhooks.
 *
 * @param secret what receivers verify with; shown this once
 * @param webhooks what is set for the tenant's webhooks now
 */
public record NewWebhookKey(String secret, TenantWebhookView webhooks) {}
