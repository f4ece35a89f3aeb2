package dev.vivarium.node.tenant;

import dev.vivarium.node.placement.KeptLately;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.KeptData.Size;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What is kept of tenants, as this node has measured it in the store last. A measurement looks at all there is, so that it is
 * right whatever was stored, deleted or lost before; it is repeated at most so often that it takes a twentieth of the time.
 * Until the first one nothing is known to be kept, and while the store is away the last one holds. What this node stores
 * meanwhile is in {@link KeptLately}.
 */
public final class KeptOfTenants {
    /** A measurement is followed by a pause of at least so many times its length. */
    private static final int PAUSE_TIMES = 19;

    private final KeptData data;
    private final LongSupplier nanos;
    private volatile Measured last;

    /**
     * A measurement.
     *
     * @param begunNanos when it began; for the first one, when this node did
     */
    private record Measured(long begunNanos, Map<Tenant, Size> sizes) {}

    /** @param nanos a monotonic clock in nanoseconds */
    public KeptOfTenants(KeptData data, LongSupplier nanos) {
        this.data = data;
        this.nanos = nanos;
        this.last = new Measured(nanos.getAsLong(), Map.of());
    }

    /** What was kept of the tenant when that was measured last. */
    public TenantUse usedBy(Tenant tenant) {
        return TenantUse.ofKept(last.sizes.getOrDefault(tenant, Size.NONE).bytes());
    }

    /** The last measurement. */
    public Map<Tenant, Size> sizes() {
        return last.sizes;
    }

    /** How old the last measurement is; without one, how long there has been none. */
    public Duration age() {
        return Duration.ofNanos(nanos.getAsLong() - last.begunNanos);
    }

    /** Measures again and again; to be repeated by a sweeper. */
    public Sweep measuring(KeptLately lately) {
        return new Sweep() {
            private long notBefore = nanos.getAsLong();

            @Override
            public String what() {
                return "What is kept of tenants";
            }

            @Override
            public void sweep(BooleanSupplier goOn) {
                if (nanos.getAsLong() - notBefore >= 0) {
                    long begun = nanos.getAsLong();
                    measure(lately, begun, goOn);
                    long end = nanos.getAsLong();
                    notBefore = end + PAUSE_TIMES * (end - begun);
                }
            }
        };
    }

    private void measure(KeptLately lately, long begun, BooleanSupplier goOn) {
        KeptLately.Mark mark = lately.mark();
        data.sizes(goOn).ifPresent(sizes -> {
            last = new Measured(begun, sizes);
            lately.measured(mark);
        });
    }
}
