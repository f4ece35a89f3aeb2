package dev.vivarium.protocol.api;

import java.util.List;

/**
 * Tenants that have quotas of their own, or runs that have not ended.
 *
 * @param tenants by name
 */
public record TenantList(List<TenantUsage> tenants) {
    public TenantList {
        tenants = List.copyOf(tenants);
    }
}
