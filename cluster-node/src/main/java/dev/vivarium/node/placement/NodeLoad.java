package dev.vivarium.node.placement;

import dev.vivarium.protocol.api.NodeView.Intake;
import java.util.Set;

/**
 * What a node tells the others of its load.
 *
 * @param name its name
 * @param address where it is in the cluster
 * @param capacity what it has for runs
 * @param taken what the runs hold that have a slot on it
 * @param waiting how many runs wait for a slot on it
 * @param waitingMax the most that it lets wait
 * @param intake whether it takes new runs
 * @param shards the shards that it holds
 */
public record NodeLoad(
        String name,
        String address,
        Capacity capacity,
        Capacity taken,
        int waiting,
        int waitingMax,
        Intake intake,
        Set<String> shards) {
    public NodeLoad {
        shards = Set.copyOf(shards);
    }

    /** Whether a run that asks for so much has a slot at once. */
    public boolean hasSlotFor(Capacity asked) {
        return intake == Intake.OPEN && waiting == 0 && capacity.minus(taken).covers(asked);
    }

    /** Whether a further run may wait here. */
    public boolean hasQueueRoom() {
        return intake == Intake.OPEN && waiting < waitingMax;
    }

    /** The part of it that is free, from 0 to 1, so that nodes of any size fill alike. */
    double freeShare() {
        return capacity.shareLeft(taken);
    }

    /** How long its queue is for its size, so that large nodes get more to wait for. */
    double waitingShare() {
        return capacity.runs() == 0 ? Double.MAX_VALUE : (double) waiting / capacity.runs();
    }

    /** The same after one more run was sent to it. */
    NodeLoad withOneMore(Capacity asked) {
        return hasSlotFor(asked) ? with(taken.plus(asked), waiting) : with(taken, waiting + 1);
    }

    /** The same with no slot. */
    NodeLoad withoutSlot() {
        return with(capacity, waiting);
    }

    /** The same with neither slot nor room to wait. */
    public NodeLoad full() {
        return with(capacity, waitingMax);
    }

    /** The same with what the node itself says of its slots, which is newer. */
    public NodeLoad with(NodeSlots.Count count) {
        return with(count.taken(), count.waiting());
    }

    private NodeLoad with(Capacity nowTaken, int nowWaiting) {
        return new NodeLoad(name, address, capacity, nowTaken, nowWaiting, waitingMax, intake, shards);
    }
}
