package dev.vivarium.node.placement;

import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.NodeView.Intake;
import dev.vivarium.protocol.auth.Tenant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A node's load, as it reports it to the others.
 *
 * @param name its name
 * @param address its address in the cluster
 * @param capacity what it offers to runs
 * @param taken what the runs with a slot on it reserve
 * @param waiting how many runs are queued on it
 * @param waitingMax the queue's maximum length
 * @param intake whether it takes new runs
 * @param shards the shards that it owns
 * @param pool its sandboxes that wait for a run; empty when an older version reports
 * @param tenants what tenants use on it; empty when an older version reports
 */
public record NodeLoad(
        String name,
        String address,
        Capacity capacity,
        Capacity taken,
        int waiting,
        int waitingMax,
        Intake intake,
        Set<String> shards,
        Optional<NodeView.Pool> pool,
        List<TenantLoad> tenants) {
    public NodeLoad {
        shards = Set.copyOf(shards);
        tenants = List.copyOf(Objects.requireNonNullElse(tenants, List.of()));
    }

    /** Whether a run with these needs gets a slot immediately. */
    public boolean hasSlotFor(Capacity asked) {
        return intake == Intake.OPEN && waiting == 0 && capacity.minus(taken).covers(asked);
    }

    /** Whether another run may wait here. */
    public boolean hasQueueRoom() {
        return intake == Intake.OPEN && waiting < waitingMax;
    }

    /** The free fraction, from 0 to 1, so that nodes of any size fill evenly. */
    double freeShare() {
        return capacity.shareLeft(taken);
    }

    /** The queue's length relative to the node's size, so that large nodes get longer queues. */
    double waitingShare() {
        return capacity.runs() == 0 ? Double.MAX_VALUE : (double) waiting / capacity.runs();
    }

    /** The load after one more run was sent to the node. */
    NodeLoad withOneMore(Capacity asked, TenantLoad more) {
        List<TenantLoad> all = new ArrayList<>(tenants);
        all.add(more);
        return hasSlotFor(asked) ? with(taken.plus(asked), waiting, all) : with(taken, waiting + 1, all);
    }

    /** What a tenant uses on the node. */
    TenantUse usedBy(Tenant tenant) {
        return tenants.stream()
                .filter(load -> load.tenant().equals(tenant))
                .map(TenantLoad::use)
                .reduce(TenantUse.NONE, TenantUse::plus);
    }

    /** This load without a free slot. */
    NodeLoad withoutSlot() {
        return with(capacity, waiting);
    }

    /** This load with neither a free slot nor room in the queue. */
    public NodeLoad full() {
        return with(capacity, waitingMax);
    }

    /** This load with the node's own, more recent count. */
    public NodeLoad with(NodeSlots.Count count) {
        return with(count.taken(), count.waiting());
    }

    private NodeLoad with(Capacity nowTaken, int nowWaiting) {
        return with(nowTaken, nowWaiting, tenants);
    }

    private NodeLoad with(Capacity nowTaken, int nowWaiting, List<TenantLoad> nowTenants) {
        return new NodeLoad(
                name, address, capacity, nowTaken, nowWaiting, waitingMax, intake, shards, pool, nowTenants);
    }
}
