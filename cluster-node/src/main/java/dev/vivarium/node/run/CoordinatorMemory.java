package dev.vivarium.node.run;

import static scala.jdk.javaapi.CollectionConverters.asScala;

import dev.vivarium.persistence.remembered.RememberedRuns;
import java.time.Duration;
import java.util.Set;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesCoordinatorStore;
import org.apache.pekko.pattern.Patterns;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the shards' coordinator which shards have runs to wake, as soon as the store says so. The coordinator does not wait
 * for it, nor for the store with any shard that it gives a place: a shard is remembered by its runs. An actor of the old
 * kind, as the coordinator talks to those.
 */
final class CoordinatorMemory extends AbstractActorWithTimers {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorMemory.class);
    private static final Duration RETRY = Duration.ofMillis(500);

    private final RememberedRuns remembered = RememberedSource.runs(getContext().getSystem());

    private CoordinatorMemory() {}

    static Props props() {
        return Props.create(CoordinatorMemory.class, CoordinatorMemory::new);
    }

    private record Found(Set<String> shards, ActorRef asker) {}

    private record Failed(String reason, ActorRef asker) {}

    private record Ask(ActorRef asker) {}

    @Override
    public Receive createReceive() {
        return receiveBuilder()
                .matchEquals(RememberEntitiesCoordinatorStore.GetShards$.MODULE$, get -> ask(getSender()))
                .match(Ask.class, again -> ask(again.asker))
                .match(Found.class, this::onFound)
                .match(Failed.class, this::onFailed)
                .match(RememberEntitiesCoordinatorStore.AddShard.class, added -> getSender()
                        .tell(new RememberEntitiesCoordinatorStore.UpdateDone(added.entityId()), getSelf()))
                .build();
    }

    private void ask(ActorRef asker) {
        Patterns.pipe(
                        remembered
                                .shards()
                                .handle((shards, failure) -> failure == null
                                        ? new Found(shards, asker)
                                        : new Failed(failure.toString(), asker)),
                        getContext().getDispatcher())
                .to(getSelf());
    }

    private void onFound(Found found) {
        found.asker.tell(
                new RememberEntitiesCoordinatorStore.RememberedShards(
                        asScala(found.shards).toSet()),
                getSelf());
    }

    /** The coordinator asks once, and gives its own repetition up as soon as it gives any shard a place. */
    private void onFailed(Failed failed) {
        LOG.warn("The coordinator of shards waits for the store to say which have runs to wake: {}", failed.reason);
        getTimers().startSingleTimer(Ask.class, new Ask(failed.asker), RETRY);
    }
}
