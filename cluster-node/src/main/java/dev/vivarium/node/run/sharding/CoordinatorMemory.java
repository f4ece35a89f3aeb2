package dev.vivarium.node.run.sharding;

import dev.vivarium.persistence.store.RememberedRuns;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesCoordinatorStore;

/**
 * Tells the shard coordinator which shards have runs to recover. The coordinator does not wait for it, nor for the
 * store when it allocates a shard: a shard is remembered through its runs. The coordinator asks once, and stops
 * repeating itself once it allocates any shard.
 */
final class CoordinatorMemory extends RememberedLookup {
    private CoordinatorMemory() {
        super("The coordinator of shards waits for the store to list the shards with runs to recover");
    }

    static Props props() {
        return Props.create(CoordinatorMemory.class, CoordinatorMemory::new);
    }

    @Override
    public Receive createReceive() {
        return answering(RememberEntitiesCoordinatorStore.GetShards$.MODULE$)
                .match(RememberEntitiesCoordinatorStore.AddShard.class, added -> getSender()
                        .tell(new RememberEntitiesCoordinatorStore.UpdateDone(added.entityId()), getSelf()))
                .build();
    }

    @Override
    CompletionStage<Set<String>> recall(RememberedRuns from) {
        return from.shards();
    }

    @Override
    Object answer(scala.collection.immutable.Set<String> names) {
        return new RememberEntitiesCoordinatorStore.RememberedShards(names);
    }
}
