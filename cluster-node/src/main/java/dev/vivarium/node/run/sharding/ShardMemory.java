package dev.vivarium.node.run.sharding;

import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesShardStore;

/** Tells one shard which runs to recover. */
final class ShardMemory extends RememberedLookup {
    private final String shard;

    private ShardMemory(String shard) {
        super("Shard " + shard + " waits for the store to list the runs to recover");
        this.shard = shard;
    }

    static Props props(String shard) {
        return Props.create(ShardMemory.class, () -> new ShardMemory(shard));
    }

    @Override
    public Receive createReceive() {
        return answering(RememberEntitiesShardStore.GetEntities$.MODULE$)
                .match(RememberEntitiesShardStore.Update.class, update -> getSender()
                        .tell(new RememberEntitiesShardStore.UpdateDone(update.started(), update.stopped()), getSelf()))
                .build();
    }

    @Override
    CompletionStage<Set<String>> recall(RememberedRuns from) {
        return from.in(shard)
                .thenApply(runs -> runs.stream().map(RunId::value).collect(Collectors.toUnmodifiableSet()));
    }

    @Override
    Object answer(scala.collection.immutable.Set<String> names) {
        return new RememberEntitiesShardStore.RememberedEntities(names);
    }
}
