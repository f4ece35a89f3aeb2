package dev.vivarium.node.run.sharding;

import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ClusterShardingSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * A node's replica of the directory of shards. A majority of all members must acknowledge where a new shard is, and
 * Cluster Sharding creates a replica only where it starts an entity type. The type of runs cannot be started before the
 * node is a member and its cluster owns the store; until then the node would count for the majority without answering,
 * and new runs on all nodes would wait for it. So this starts a type without entities.
 */
public final class ShardDirectory {
    private static final EntityTypeKey<NoMessage> NONE = EntityTypeKey.create(NoMessage.class, "none");

    private ShardDirectory() {}

    /** A message type that is never used. */
    private interface NoMessage {}

    /** Opens the replica; call before the node joins its cluster. */
    public static void open(ActorSystem<?> system) {
        ClusterSharding.get(system)
                .init(Entity.of(NONE, context -> Behaviors.<NoMessage>stopped())
                        .withSettings(ClusterShardingSettings.create(system).withRememberEntities(false)));
    }
}
