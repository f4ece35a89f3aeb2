package dev.vivarium.node.run;

import static scala.jdk.javaapi.CollectionConverters.asScala;

import dev.vivarium.persistence.remembered.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesShardStore;
import org.apache.pekko.pattern.Patterns;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells one shard which runs to wake, as soon as the store says so. An actor of the old kind, as a shard talks to those. */
final class ShardMemory extends AbstractActorWithTimers {
    private static final Logger LOG = LoggerFactory.getLogger(ShardMemory.class);
    private static final Duration RETRY = Duration.ofMillis(500);

    private final String shard;
    private final RememberedRuns remembered;

    private ShardMemory(String shard) {
        this.shard = shard;
        this.remembered = RememberedSource.runs(getContext().getSystem());
    }

    static Props props(String shard) {
        return Props.create(ShardMemory.class, () -> new ShardMemory(shard));
    }

    private record Found(Set<RunId> runs, ActorRef asker) {}

    private record Failed(String reason, ActorRef asker) {}

    private record Ask(ActorRef asker) {}

    @Override
    public Receive createReceive() {
        return receiveBuilder()
                .matchEquals(RememberEntitiesShardStore.GetEntities$.MODULE$, get -> ask(getSender()))
                .match(Ask.class, again -> ask(again.asker))
                .match(Found.class, this::onFound)
                .match(Failed.class, this::onFailed)
                .match(RememberEntitiesShardStore.Update.class, update -> getSender()
                        .tell(new RememberEntitiesShardStore.UpdateDone(update.started(), update.stopped()), getSelf()))
                .build();
    }

    private void ask(ActorRef asker) {
        Patterns.pipe(
                        remembered
                                .in(shard)
                                .handle((runs, failure) -> failure == null
                                        ? new Found(runs, asker)
                                        : new Failed(failure.toString(), asker)),
                        getContext().getDispatcher())
                .to(getSelf());
    }

    private void onFound(Found found) {
        Set<String> names = found.runs.stream().map(RunId::value).collect(Collectors.toUnmodifiableSet());
        found.asker.tell(
                new RememberEntitiesShardStore.RememberedEntities(asScala(names).toSet()), getSelf());
    }

    private void onFailed(Failed failed) {
        LOG.warn("Shard {} waits for the store to say which runs it has to wake: {}", shard, failed.reason);
        getTimers().startSingleTimer(Ask.class, new Ask(failed.asker), RETRY);
    }
}
