package dev.vivarium.node.placement;

import java.util.Set;

/**
 * What a node tells the others of its load.
 *
 * @param address where it is in the cluster
 * @param live its runs that have been accepted and have not ended
 * @param liveMax the most of them that it takes
 * @param intake whether it takes new runs
 * @param shards the shards that it holds
 */
public record NodeLoad(String address, int live, int liveMax, Intake intake, Set<String> shards) {
    public NodeLoad {
        shards = Set.copyOf(shards);
    }

    /** Whether a node takes new runs. */
    public enum Intake {
        OPEN,
        CLOSED
    }

    /** How many more runs it takes. */
    public int free() {
        return intake == Intake.OPEN ? Math.max(0, liveMax - live) : 0;
    }

    /** The part of it that is free, from 0 to 1, so that nodes of any size fill alike. */
    double freeShare() {
        return liveMax <= 0 ? 0 : (double) free() / liveMax;
    }

    /** The same with another count of live runs. */
    NodeLoad withLive(int count) {
        return new NodeLoad(address, count, liveMax, intake, shards);
    }
}
