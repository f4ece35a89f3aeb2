package dev.vivarium.node.run.sharding;

import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ClusterShardingSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * A node's copy of the directory that says which node holds which shard. A majority of all members has to note where a new
 * shard is, and Cluster Sharding makes a copy only where it starts a type of entities. Runs cannot be started before the
 * node is a member and its cluster holds the store; until then the node would count for the majority and not answer, and
 * new runs everywhere would wait for it. So this starts a type that has no entities.
 */
public final class ShardDirectory {
    private static final EntityTypeKey<Nobody> NONE = EntityTypeKey.create(Nobody.class, "none");

    private ShardDirectory() {}

    /** What is never sent. */
    private interface Nobody {}

    /** Opens the copy; to be called before the node joins its cluster. */
    public static void open(ActorSystem<?> system) {
        ClusterSharding.get(system)
                .init(Entity.of(NONE, context -> Behaviors.<Nobody>stopped())
                        .withSettings(ClusterShardingSettings.create(system).withRememberEntities(false)));
    }
}
