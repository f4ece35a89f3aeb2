package dev.vivarium.node.placement;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.pattern.Patterns;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * Puts shards on nodes in proportion to the runs that these take, and moves one only when it is empty: the node that
 * holds it is asked at that moment, since a run whose shard moves loses its sandbox. So a node that joins gets the shards
 * that have nothing to do, one after the other, and never one of a live run. Used by the coordinator, one call at a time,
 * whose view of a shard that was just put somewhere may be old.
 */
public final class CapacityAllocation extends ShardCoordinator.AbstractShardAllocationStrategy {
    private static final Duration ASK_MAX = Duration.ofSeconds(2);
    private static final int UNKNOWN_CAPACITY = 1;

    private final Function<ActorRef, Optional<NodeLoad>> loads;
    private final Map<String, ActorRef> underWay = new HashMap<>();

    /** @param loads what is known of the node of a shard region */
    public CapacityAllocation(Function<ActorRef, Optional<NodeLoad>> loads) {
        this.loads = loads;
    }

    @Override
    public synchronized Future<ActorRef> allocateShard(
            ActorRef requester, String shard, Map<ActorRef, IndexedSeq<String>> current) {
        underWay.entrySet()
                .removeIf(entry -> !current.containsKey(entry.getValue())
                        || current.values().stream().anyMatch(held -> held.contains(entry.getKey())));
        underWay.remove(shard);
        ActorRef chosen = current.entrySet().stream()
                .min(Comparator.<Map.Entry<ActorRef, IndexedSeq<String>>>comparingDouble(
                                node -> (heldBy(node) + 1.0) / capacity(node.getKey()))
                        .thenComparing(node -> node.getKey().path().toSerializationFormat()))
                .map(Map.Entry::getKey)
                .orElse(requester);
        underWay.put(shard, chosen);
        return Future.successful(chosen);
    }

    private long heldBy(Map.Entry<ActorRef, IndexedSeq<String>> node) {
        return node.getValue().size()
                + underWay.values().stream().filter(node.getKey()::equals).count();
    }

    /** Next to nothing for a node that takes no new runs, so that it gets a shard only when all are so. */
    private double capacity(ActorRef region) {
        return loads.apply(region)
                .map(load -> load.intake() == NodeLoad.Intake.OPEN ? Math.max(1.0, load.liveMax()) : 1e-6)
                .orElse((double) UNKNOWN_CAPACITY);
    }

    @Override
    public Future<Set<String>> rebalance(Map<ActorRef, IndexedSeq<String>> current, Set<String> inProgress) {
        // While a node has not told its capacity, its share is not known.
        boolean known =
                current.keySet().stream().allMatch(region -> loads.apply(region).isPresent());
        if (!inProgress.isEmpty() || !known) {
            return Future.successful(Set.of());
        }
        return donor(current)
                .map(node -> FutureConverters.asScala(idleShard(node.getKey(), node.getValue())))
                .orElseGet(() -> Future.successful(Set.of()));
    }

    /** A node with more than its share, when another has a shard less than its own or more. */
    private Optional<Map.Entry<ActorRef, IndexedSeq<String>>> donor(Map<ActorRef, IndexedSeq<String>> current) {
        double capacities =
                current.keySet().stream().mapToDouble(this::capacity).sum();
        long shards = current.values().stream().mapToLong(IndexedSeq::size).sum();
        ToDoubleFunction<Map.Entry<ActorRef, IndexedSeq<String>>> surplus =
                node -> node.getValue().size() - shards * capacity(node.getKey()) / capacities;
        boolean wanted = current.entrySet().stream().anyMatch(node -> surplus.applyAsDouble(node) <= -1);
        return current.entrySet().stream()
                .filter(node -> wanted && surplus.applyAsDouble(node) > 0)
                .max(Comparator.comparingDouble(surplus));
    }

    private static CompletionStage<Set<String>> idleShard(ActorRef region, IndexedSeq<String> held) {
        return Patterns.ask(region, ShardRegion.getRegionStatsInstance(), ASK_MAX)
                .handle((answer, failure) -> {
                    if (!(answer instanceof ShardRegion.ShardRegionStats stats)) {
                        return Set.of();
                    }
                    Set<String> ids = Set.copyOf(CollectionConverters.asJava(held));
                    return stats.getStats().entrySet().stream()
                            .filter(entry -> ids.contains(entry.getKey())
                                    && entry.getValue().equals(0))
                            .map(Map.Entry::getKey)
                            .findFirst()
                            .map(Set::of)
                            .orElse(Set.of());
                });
    }
}
