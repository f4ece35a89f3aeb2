package dev.vivarium.node.placement;

import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * The nodes' last reported loads, adjusted by this node's placements since. A node that has not reported for a while is
 * left out. Thread-safe.
 */
public final class NodeLoads {
    private static final long REPORT_NANOS_MAX = Duration.ofSeconds(5).toNanos();

    private final LongSupplier nanos;
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();

    private record Entry(NodeLoad load, long reportedAtNanos) {}

    /** @param nanos a monotonic clock in nanoseconds */
    public NodeLoads(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** A node reported its load. */
    public void reported(NodeLoad load) {
        entries.put(load.address(), new Entry(load, nanos.getAsLong()));
    }

    /** This node has just sent a run with these needs to the shard. */
    public void placedIn(String shard, Capacity asked, TenantLoad tenant) {
        change(shard, load -> load.withOneMore(asked, tenant));
    }

    /** What a tenant uses on all nodes but the one at the address, with what this node has sent there since. */
    public TenantUse usedBy(Tenant tenant, String exceptAt) {
        return loads().stream()
                .filter(load -> !load.address().equals(exceptAt))
                .map(load -> load.usedBy(tenant))
                .reduce(TenantUse.NONE, TenantUse::plus);
    }

    /** The tenants that use anything. */
    public Set<Tenant> tenants() {
        return loads().stream()
                .flatMap(load -> load.tenants().stream())
                .map(TenantLoad::tenant)
                .collect(Collectors.toSet());
    }

    /** The shard's owner has just refused a run that would not wait: it has no free slot until it reports again. */
    public void takenAt(String shard) {
        change(shard, NodeLoad::withoutSlot);
    }

    /** The shard's owner has just refused a run because its queue is full: it has no room until it reports again. */
    public void fullAt(String shard) {
        change(shard, NodeLoad::full);
    }

    private void change(String shard, UnaryOperator<NodeLoad> by) {
        entries.replaceAll((address, entry) ->
                entry.load.shards().contains(shard) ? new Entry(by.apply(entry.load), entry.reportedAtNanos) : entry);
    }

    /** The loads of all nodes that reported recently. */
    public List<NodeLoad> loads() {
        entries.values().removeIf(entry -> nanos.getAsLong() - entry.reportedAtNanos > REPORT_NANOS_MAX);
        return entries.values().stream().map(Entry::load).toList();
    }

    /** The load of the node at the address. */
    public Optional<NodeLoad> of(String address) {
        return loads().stream().filter(load -> load.address().equals(address)).findFirst();
    }

    /** The load of the shard's owner. */
    public Optional<NodeLoad> holding(String shard) {
        return loads().stream().filter(load -> load.shards().contains(shard)).findFirst();
    }
}
