package dev.vivarium.node.run.sharding;

import dev.vivarium.persistence.store.RememberedRuns;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesCoordinatorStore;

/**
 * Tells the shards' coordinator which shards have runs to wake. The coordinator does not wait for it, nor for the store with
 * any shard that it gives a slot: a shard is remembered by its runs. It asks once, and gives its own repetition up as soon
 * as it gives any shard a slot.
 */
final class CoordinatorMemory extends Recollection {
    private CoordinatorMemory() {
        super("The coordinator of shards waits for the store to say which have runs to wake");
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
