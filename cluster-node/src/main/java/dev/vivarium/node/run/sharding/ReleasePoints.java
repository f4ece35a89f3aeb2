package dev.vivarium.node.run.sharding;

import dev.vivarium.node.placement.ShardRelease;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** The actors on each node that release shards. Thread-safe. */
final class ReleasePoints implements ShardRelease {
    private static final Duration ASK_MAX = Duration.ofSeconds(2);

    private final ActorSystem<?> system;
    private final Function<org.apache.pekko.actor.ActorRef, String> addressOf;
    private final Map<String, ActorRef<LoadReporter.Release>> points = new ConcurrentHashMap<>();

    /** @param addressOf the address of the node of a shard region */
    ReleasePoints(ActorSystem<?> system, Function<org.apache.pekko.actor.ActorRef, String> addressOf) {
        this.system = system;
        this.addressOf = addressOf;
    }

    void reported(String address, ActorRef<LoadReporter.Release> point) {
        points.put(address, point);
    }

    @Override
    public CompletionStage<Set<String>> ask(org.apache.pekko.actor.ActorRef region, Set<String> held, Which which) {
        ActorRef<LoadReporter.Release> point = points.get(addressOf.apply(region));
        if (point == null) {
            return CompletableFuture.completedStage(Set.of());
        }
        CompletionStage<LoadReporter.Released> answer = AskPattern.ask(
                point, replyTo -> new LoadReporter.Release(held, which, replyTo), ASK_MAX, system.scheduler());
        return answer.handle((released, failure) -> failure == null ? released.shards() : Set.of());
    }
}
