package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.ShardRelease.Which;
import dev.vivarium.protocol.api.NodeView.Intake;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

class CapacityAllocationTest {
    private static final ActorSystem SYSTEM = ActorSystem.create("allocation");

    private final Map<ActorRef, NodeLoad> loads = new HashMap<>();
    /** The shards that each node releases on request. */
    private final Map<ActorRef, Map<Which, Set<String>>> releases = new HashMap<>();

    private final List<Which> asked = new ArrayList<>();
    private final CapacityAllocation allocation =
            new CapacityAllocation(region -> Optional.ofNullable(loads.get(region)), (region, held, which) -> {
                asked.add(which);
                return CompletableFuture.completedStage(
                        releases.getOrDefault(region, Map.of()).getOrDefault(which, Set.of()));
            });

    @AfterAll
    static void stop() {
        SYSTEM.terminate();
    }

    @Test
    void nodesGetShardsInProportionToTheirCapacityEvenWithAnOldView() {
        ActorRef two = node(0, 2);
        ActorRef four = node(0, 4);
        ActorRef eight = node(0, 8);
        Map<ActorRef, List<String>> held = new TreeMap<>(Map.of(two, List.of(), four, List.of(), eight, List.of()));
        Map<ActorRef, IndexedSeq<String>> stale = seqs(held);

        Map<ActorRef, Integer> got = new HashMap<>();
        for (int shard = 0; shard < 56; shard++) {
            got.merge(value(allocation.allocateShard(two, "" + shard, stale)), 1, Integer::sum);
        }

        assertThat(got).containsEntry(two, 8).containsEntry(four, 16).containsEntry(eight, 32);
    }

    @Test
    void aNodeThatLeavesGetsNone() {
        ActorRef open = node(0, 1);
        ActorRef leaving = leaving();
        Map<ActorRef, IndexedSeq<String>> current = seqs(Map.of(open, List.of("0", "1", "2", "3"), leaving, List.of()));

        assertThat(value(allocation.allocateShard(leaving, "4", current))).isEqualTo(open);
    }

    @Test
    void aShardWithWaitingRunsMovesToAFreeSlotHoweverManyShardsAreThere() {
        ActorRef full = node(10, 10);
        ActorRef free = node(9, 10);
        Map<ActorRef, IndexedSeq<String>> current = seqs(Map.of(full, List.of(), free, List.of("0", "1", "2")));

        assertThat(value(allocation.allocateShard(full, "4", current))).isEqualTo(free);
    }

    @Test
    void aJoiningNodeGetsAnIdleShard() {
        ActorRef old = node(5, 10);
        ActorRef joined = node(0, 10);
        releases.put(old, Map.of(Which.ONE_IDLE, Set.of("1")));
        Map<ActorRef, IndexedSeq<String>> current = seqs(Map.of(old, List.of("0", "1", "2", "3"), joined, List.of()));

        assertThat(value(allocation.rebalance(current, Set.of()))).containsExactly("1");
        assertThat(value(allocation.rebalance(current, Set.of("1")))).isEmpty();
        assertThat(asked).containsExactly(Which.ONE_IDLE);
    }

    @Test
    void nothingMovesWithoutAReleaseOrWhenEveryNodeHasItsShare() {
        ActorRef busy = node(5, 10);
        ActorRef joined = node(0, 10);
        assertThat(value(allocation.rebalance(
                        seqs(Map.of(busy, List.of("0", "1", "2", "3"), joined, List.of())), Set.of())))
                .isEmpty();
        asked.clear();

        assertThat(value(allocation.rebalance(seqs(Map.of(busy, List.of("0", "1"), joined, List.of("2"))), Set.of())))
                .isEmpty();
        assertThat(asked).isEmpty();
    }

    @Test
    void waitingRunsMoveToANodeWithAFreeSlot() {
        ActorRef crowded = waiting(3);
        ActorRef moreCrowded = waiting(7);
        ActorRef free = node(4, 10);
        releases.put(moreCrowded, Map.of(Which.ONE_WAITING, Set.of("2")));

        assertThat(value(allocation.rebalance(
                        seqs(Map.of(crowded, List.of("0"), moreCrowded, List.of("1", "2"), free, List.of("3"))),
                        Set.of())))
                .containsExactly("2");

        loads.put(free, load(10, 10, 0, Intake.OPEN));
        asked.clear();
        allocation.rebalance(
                seqs(Map.of(crowded, List.of("0"), moreCrowded, List.of("1", "2"), free, List.of("3"))), Set.of());
        assertThat(asked).doesNotContain(Which.ONE_WAITING);
    }

    @Test
    void aLeavingNodeHandsOverAllReleasedShards() {
        ActorRef open = node(4, 10);
        ActorRef leaving = leaving();
        releases.put(leaving, Map.of(Which.ALL, Set.of("1", "2")));

        assertThat(value(allocation.rebalance(
                        seqs(Map.of(open, List.of("0"), leaving, List.of("1", "2", "3"))), Set.of())))
                .containsExactlyInAnyOrder("1", "2");

        loads.remove(open);
        loads.put(open, load(0, 10, 0, Intake.CLOSED));
        assertThat(value(allocation.rebalance(
                        seqs(Map.of(open, List.of("0"), leaving, List.of("1", "2", "3"))), Set.of())))
                .as("nothing moves when all nodes leave")
                .isEmpty();
    }

    private ActorRef node(int live, int liveMax) {
        return node(load(live, liveMax, 0, Intake.OPEN));
    }

    private ActorRef waiting(int waiting) {
        return node(load(10, 10, waiting, Intake.OPEN));
    }

    private ActorRef leaving() {
        return node(load(0, 100, 0, Intake.CLOSED));
    }

    private ActorRef node(NodeLoad load) {
        ActorRef region = SYSTEM.actorOf(Props.empty());
        loads.put(region, load);
        return region;
    }

    private static NodeLoad load(int live, int liveMax, int waiting, Intake intake) {
        return new NodeLoad(
                "node",
                "node",
                new Capacity(liveMax, Capacity.UNLIMITED, Capacity.UNLIMITED),
                new Capacity(live, 64L * live, 500L * live),
                waiting,
                100,
                intake,
                Set.of(),
                Optional.empty(),
                List.of());
    }

    private static Map<ActorRef, IndexedSeq<String>> seqs(Map<ActorRef, List<String>> held) {
        Map<ActorRef, IndexedSeq<String>> seqs = new HashMap<>();
        held.forEach((region, shards) -> seqs.put(
                region, CollectionConverters.asScala(new ArrayList<>(shards)).toVector()));
        return seqs;
    }

    private static <T> T value(Future<T> future) {
        return FutureConverters.asJava(future).toCompletableFuture().join();
    }
}
