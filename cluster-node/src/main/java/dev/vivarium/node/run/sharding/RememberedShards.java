package dev.vivarium.node.run.sharding;

import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.ClusterShardingSettings;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesProvider;

/**
 * What Cluster Sharding remembers of runs: which of them a shard wakes, and which shards have any, is the store's to
 * say. Named in the configuration, and made by Cluster Sharding.
 *
 * <p>Pekko's own way writes to the journal whenever an entity starts or stops, and a shard whose journal is away dies with
 * all its entities: a sandbox would end because somebody had asked for another run. The coordinator of the shards would die
 * with it, too, and come back late: new runs would wait. This way writes nothing; a run is
 * remembered by itself, before its submission is durable. It stands on an interface that Pekko calls internal, so a new
 * version of Pekko has to be met with the tests of whole nodes.
 */
public final class RememberedShards implements RememberEntitiesProvider {
    /** Called by Cluster Sharding, with its settings and the name of the entities' type: there is one type of them. */
    public RememberedShards(ClusterShardingSettings settings, String typeName) {}

    /** The settings with which Cluster Sharding uses it; the configuration alone cannot say so. */
    static org.apache.pekko.cluster.sharding.typed.ClusterShardingSettings settings(ActorSystem<?> system) {
        return org.apache.pekko.cluster.sharding.typed.ClusterShardingSettings.create(system)
                .withRememberEntitiesStoreMode(() -> "custom");
    }

    @Override
    public Props coordinatorStoreProps() {
        return CoordinatorMemory.props();
    }

    @Override
    public Props shardStoreProps(String shard) {
        return ShardMemory.props(shard);
    }
}
