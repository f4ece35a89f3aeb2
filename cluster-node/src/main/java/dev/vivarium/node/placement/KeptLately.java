package dev.vivarium.node.placement;

import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * What this node has stored for tenants since the store was measured last. It counts for their quotas, and in the reports to
 * other nodes, until a measurement has seen it. What is stored while one is made counts twice until the next one, so that
 * nothing is missing. Thread-safe.
 */
public final class KeptLately {
    /** In steps of this length: so much earlier than it had to, something may be counted twice. */
    private static final long STEP_NANOS = Duration.ofMillis(100).toNanos();

    /** How long a measurement may take a run for a live one that has ended: far more than the list of runs is behind. */
    private static final long LIST_BEHIND_NANOS = Duration.ofSeconds(5).toNanos();

    private final NodeSlots slots;
    private final LongSupplier nanos;
    private final long origin;

    /** By the step from which on a measurement sees it for certain. */
    private final NavigableMap<Long, Map<Tenant, Long>> stored = new TreeMap<>();

    KeptLately(NodeSlots slots, LongSupplier nanos) {
        this.slots = slots;
        this.nanos = nanos;
        this.origin = nanos.getAsLong();
    }

    /** When a measurement begins. */
    public record Mark(long step) {}

    /** A content was stored for a tenant. */
    public void contentStored(Tenant tenant, long bytes) {
        add(tenant, bytes, 0);
    }

    /** A run has ended that has printed so much. */
    public void printed(Tenant tenant, long bytes) {
        add(tenant, bytes, LIST_BEHIND_NANOS);
    }

    private synchronized void add(Tenant tenant, long bytes, long unseenNanos) {
        if (bytes > 0) {
            stored.computeIfAbsent(stepAfter(unseenNanos) + 1, first -> new HashMap<>())
                    .merge(tenant, bytes, Long::sum);
            slots.charge(tenant, TenantUse.ofKept(bytes));
        }
    }

    private long stepAfter(long laterNanos) {
        return (nanos.getAsLong() - origin + laterNanos) / STEP_NANOS;
    }

    /** A measurement begins now. */
    public Mark mark() {
        return new Mark(stepAfter(0));
    }

    /** A measurement that began then counts from now on. */
    public synchronized void measured(Mark begun) {
        Map<Long, Map<Tenant, Long>> seen = stored.headMap(begun.step, true);
        seen.values()
                .forEach(ofTenants ->
                        ofTenants.forEach((tenant, bytes) -> slots.discharge(tenant, TenantUse.ofKept(bytes))));
        seen.clear();
    }
}
