package dev.vivarium.node.placement;

import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ActorRef;

/**
 * Asks the node of a shard region for shards that may move. What a node releases it begins nothing in any more, so that a
 * shard never moves under a live sandbox, however late the move comes.
 */
@FunctionalInterface
public interface ShardRelease {
    /**
     * Asks once.
     *
     * @param region the region that holds the shards
     * @param held the shards that it is known to hold
     * @return those that it releases; empty when none may move, or it does not answer in time. Never fails
     */
    CompletionStage<Set<String>> ask(ActorRef region, Set<String> held, Which which);

    /** Which shards are asked for. None ever has a run in it that holds a slot. */
    enum Which {
        /** One in which nothing is to be done. */
        ONE_IDLE,
        /** One in which runs wait for a slot. */
        ONE_WAITING,
        /** All that may move. */
        ALL
    }
}
