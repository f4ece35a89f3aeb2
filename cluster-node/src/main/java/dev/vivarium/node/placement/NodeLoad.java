package dev.vivarium.node.placement;

import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.NodeView.Intake;
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
        Optional<NodeView.Pool> pool) {
    public NodeLoad {
        shards = Set.copyOf(shards);
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
    NodeLoad withOneMore(Capacity asked) {
        return hasSlotFor(asked) ? with(taken.plus(asked), waiting) : with(taken, waiting + 1);
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
        return new NodeLoad(name, address, capacity, nowTaken, nowWaiting, waitingMax, intake, shards, pool);
    }
}
