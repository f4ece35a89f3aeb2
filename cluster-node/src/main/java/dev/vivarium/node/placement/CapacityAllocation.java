package dev.vivarium.node.placement;

import dev.vivarium.node.placement.ShardRelease.Which;
import dev.vivarium.protocol.api.NodeView;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * Allocates shards to nodes in proportion to their capacity, and moves a shard only when its node releases it: never
 * one with a run that holds a slot, since that run would lose its sandbox. So a leaving node hands over its waiting
 * runs, a node with free slots gets runs that wait on another, and a joining node gets idle shards, one by one. Used by
 * the coordinator, one call at a time; its view of a shard that was just allocated may be out of date.
 */
public final class CapacityAllocation extends ShardCoordinator.AbstractShardAllocationStrategy {
    private static final int UNKNOWN_CAPACITY = 1;
    private static final Capacity SMALLEST = new Capacity(1, 0, 0);

    private final Function<ActorRef, Optional<NodeLoad>> loads;
    private final ShardRelease release;
    private final Map<String, ActorRef> underWay = new HashMap<>();

    /**
     * @param loads the load of a shard region's node
     * @param release requests shards
     */
    public CapacityAllocation(Function<ActorRef, Optional<NodeLoad>> loads, ShardRelease release) {
        this.loads = loads;
        this.release = release;
    }

    @Override
    public synchronized Future<ActorRef> allocateShard(
            ActorRef requester, String shard, Map<ActorRef, IndexedSeq<String>> current) {
        underWay.entrySet()
                .removeIf(entry -> !current.containsKey(entry.getValue())
                        || current.values().stream().anyMatch(held -> held.contains(entry.getKey())));
        underWay.remove(shard);
        ActorRef chosen = current.entrySet().stream()
                .min(Comparator.<Map.Entry<ActorRef, IndexedSeq<String>>, Boolean>comparing(
                                node -> isFull(node.getKey()))
                        .thenComparingDouble(node -> (heldBy(node) + 1.0) / capacity(node.getKey()))
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

    /** Almost zero for a node that takes no new runs, so that it gets a shard only when all nodes are like that. */
    private double capacity(ActorRef region) {
        return loads.apply(region)
                .map(load ->
                        isOpen(load) ? Math.max(1.0, (double) load.capacity().runs()) : 1e-6)
                .orElse((double) UNKNOWN_CAPACITY);
    }

    private boolean isFull(ActorRef region) {
        return is(region, load -> !load.hasSlotFor(SMALLEST));
    }

    private boolean is(ActorRef region, Predicate<NodeLoad> so) {
        return loads.apply(region).filter(so).isPresent();
    }

    private static boolean isOpen(NodeLoad load) {
        return load.intake() == NodeView.Intake.OPEN;
    }

    @Override
    public Future<Set<String>> rebalance(Map<ActorRef, IndexedSeq<String>> current, Set<String> inProgress) {
        // A node's share is unknown until it reports its capacity.
        boolean known =
                current.keySet().stream().allMatch(region -> loads.apply(region).isPresent());
        if (!inProgress.isEmpty() || !known) {
            return Future.successful(Set.of());
        }
        return FutureConverters.asScala(leaving(current)
                .map(node -> ask(node, Which.ALL))
                .or(() -> waitingForNothing(current).map(node -> ask(node, Which.ONE_WAITING)))
                .orElseGet(() -> CompletableFuture.completedStage(Set.of()))
                .thenCompose(
                        shards -> shards.isEmpty() ? balanced(current) : CompletableFuture.completedStage(shards)));
    }

    /** A node that takes no new runs and still owns shards, while another could own them. */
    private Optional<Map.Entry<ActorRef, IndexedSeq<String>>> leaving(Map<ActorRef, IndexedSeq<String>> current) {
        if (current.keySet().stream().noneMatch(region -> is(region, CapacityAllocation::isOpen))) {
            return Optional.empty();
        }
        return current.entrySet().stream()
                .filter(node -> !node.getValue().isEmpty() && is(node.getKey(), load -> !isOpen(load)))
                .findFirst();
    }

    /** The node with most waiting runs, while another has a free slot. */
    private Optional<Map.Entry<ActorRef, IndexedSeq<String>>> waitingForNothing(
            Map<ActorRef, IndexedSeq<String>> current) {
        if (current.keySet().stream().allMatch(this::isFull)) {
            return Optional.empty();
        }
        return current.entrySet().stream()
                .filter(node -> is(node.getKey(), load -> load.waiting() > 0))
                .max(Comparator.comparingInt(node ->
                        loads.apply(node.getKey()).map(NodeLoad::waiting).orElse(0)));
    }

    /** Takes from the node most above its share, when another is at least one shard below its own. */
    private CompletionStage<Set<String>> balanced(Map<ActorRef, IndexedSeq<String>> current) {
        double capacities =
                current.keySet().stream().mapToDouble(this::capacity).sum();
        long shards = current.values().stream().mapToLong(IndexedSeq::size).sum();
        ToDoubleFunction<Map.Entry<ActorRef, IndexedSeq<String>>> surplus =
                node -> node.getValue().size() - shards * capacity(node.getKey()) / capacities;
        boolean wanted = current.entrySet().stream().anyMatch(node -> surplus.applyAsDouble(node) <= -1);
        return current.entrySet().stream()
                .filter(node -> wanted && surplus.applyAsDouble(node) > 0)
                .max(Comparator.comparingDouble(surplus))
                .map(node -> ask(node, Which.ONE_IDLE))
                .orElseGet(() -> CompletableFuture.completedStage(Set.of()));
    }

    private CompletionStage<Set<String>> ask(Map.Entry<ActorRef, IndexedSeq<String>> node, Which which) {
        return release.ask(node.getKey(), Set.copyOf(CollectionConverters.asJava(node.getValue())), which);
    }
}
