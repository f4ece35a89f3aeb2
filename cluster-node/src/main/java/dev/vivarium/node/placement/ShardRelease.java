package dev.vivarium.node.placement;

import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ActorRef;

/**
 * Asks the node of a shard region to release shards. A node starts nothing in a shard that it released, so a shard
 * never moves under a live sandbox, however late the move happens.
 */
@FunctionalInterface
public interface ShardRelease {
    /**
     * Asks once; no retries.
     *
     * @param region the region that owns the shards
     * @param held its known shards
     * @return the released shards; empty when none may move, or when it does not answer in time. Never fails
     */
    CompletionStage<Set<String>> ask(ActorRef region, Set<String> held, Which which);

    /** Which shards to ask for. Shards with a run that holds a slot are never released. */
    enum Which {
        /** One idle shard. */
        ONE_IDLE,
        /** One shard in which runs wait for a slot. */
        ONE_WAITING,
        /** All that may move. */
        ALL
    }
}
