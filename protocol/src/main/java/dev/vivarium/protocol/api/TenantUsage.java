package dev.vivarium.protocol.api;

import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A tenant's quotas, and what it uses of them.
 *
 * @param setBy who changed its settings last; empty where the configuration alone holds
 * @param setAt when
 */
public record TenantUsage(Tenant tenant, List<OfQuota> quotas, Optional<Principal> setBy, Optional<Instant> setAt) {
    public TenantUsage {
        quotas = List.copyOf(quotas);
    }

    /**
     * One quota.
     *
     * @param unit what the amounts are numbers of
     * @param limit its amount; empty for no limit
     * @param used what the tenant uses in the cluster; empty for quotas of rates
     * @param from where the limit is from
     */
    public record OfQuota(Quota quota, Quota.Unit unit, OptionalLong limit, OptionalLong used, Source from) {}

    /** Where an amount is from. */
    public enum Source {
        /** The configuration of the node, for all tenants. */
        DEFAULT,
        /** The configuration of the node, for this tenant. */
        CONFIGURED,
        /** An operator has set it. */
        SET
    }
}
