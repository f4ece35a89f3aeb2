package dev.vivarium.node.placement;

import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Whether what a tenant asks for is within its quotas. What its runs on this node use is exact; what they use on others is
 * that of their last reports, so nodes that accept runs of one tenant at the same time can together exceed a quota by what
 * the others accept between two reports. Thread-safe.
 */
public final class QuotaCheck {
    /** Where nothing is limited. */
    public static final QuotaCheck NONE = new QuotaCheck(tenant -> Quotas.NONE, tenant -> TenantUse.NONE);

    private final Function<Tenant, Quotas> quotas;
    private final Function<Tenant, TenantUse> elsewhere;

    /**
     * @param quotas a tenant's quotas
     * @param elsewhere what it uses on other nodes, and what runs have used that ended
     */
    public QuotaCheck(Function<Tenant, Quotas> quotas, Function<Tenant, TenantUse> elsewhere) {
        this.quotas = quotas;
        this.elsewhere = elsewhere;
    }

    /** What the tenant uses besides what this node knows exactly. */
    TenantUse elsewhere(Tenant tenant) {
        return elsewhere.apply(tenant);
    }

    /** The tenant's weight in the queue; a change holds from the next turn on. */
    int weight(Tenant tenant) {
        return quotas.apply(tenant).weight();
    }

    /** The first quota that the tenant would be over; amounts that it does not ask for are not looked at. */
    Optional<QuotaExcess> excess(Tenant tenant, TenantUse here, TenantUse asked) {
        Quotas held = quotas.apply(tenant);
        if (held.amounts().isEmpty()) {
            return Optional.empty();
        }
        TenantUse used = here.plus(elsewhere.apply(tenant));
        return Arrays.stream(Quota.values())
                .flatMap(quota -> excess(tenant, quota, held.of(quota), used.of(quota), asked.of(quota)).stream())
                .findFirst();
    }

    private static Optional<QuotaExcess> excess(
            Tenant tenant, Quota quota, long limit, OptionalLong used, OptionalLong asked) {
        boolean isOver = limit != Quota.UNLIMITED && asked.orElse(0) > 0 && used.orElse(0) > limit - asked.orElse(0);
        return isOver
                ? Optional.of(new QuotaExcess(tenant, quota, limit, used.orElse(0), asked.orElse(0)))
                : Optional.empty();
    }
}
