package dev.vivarium.node.run.sharding;

import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.ClusterShardingSettings;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesProvider;

/**
 * Cluster Sharding's memory of entities, read from the store: which runs a shard recovers, and which shards have any.
 * Named in the configuration and instantiated by Cluster Sharding.
 *
 * <p>Pekko's own implementation writes to the journal whenever an entity starts or stops, and a shard whose journal is
 * unavailable stops with all its entities: a request for one run would end another's sandbox. The shard coordinator
 * would stop, too, and be late to restart, so that new runs wait. This implementation writes nothing; each run records
 * itself before its submission is durable. It relies on an interface that Pekko calls internal, so upgrades of Pekko
 * need the tests of whole nodes.
 */
public final class RememberedShards implements RememberEntitiesProvider {
    /** Called by Cluster Sharding with its settings and the entity type's name; there is only one type. */
    public RememberedShards(ClusterShardingSettings settings, String typeName) {}

    /** Settings that make Cluster Sharding use it, which the configuration alone cannot do. */
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
