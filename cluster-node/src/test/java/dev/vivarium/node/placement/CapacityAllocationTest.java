package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.NodeLoad.Intake;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

class CapacityAllocationTest {
    private static final ActorSystem SYSTEM = ActorSystem.create("allocation");

    private final Map<ActorRef, NodeLoad> loads = new HashMap<>();
    private final CapacityAllocation allocation =
            new CapacityAllocation(region -> Optional.ofNullable(loads.get(region)));

    @AfterAll
    static void stop() {
        SYSTEM.terminate();
    }

    @Test
    void nodesGetShardsInProportionToTheRunsThatTheyTakeThoughTheViewOfThemIsOld() {
        ActorRef two = node(2, Map.of());
        ActorRef four = node(4, Map.of());
        ActorRef eight = node(8, Map.of());
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
        ActorRef open = node(1, Map.of());
        ActorRef leaving = node(100, Map.of());
        loads.put(leaving, new NodeLoad("leaving", 0, 100, Intake.CLOSED, Set.of()));
        Map<ActorRef, IndexedSeq<String>> current = seqs(Map.of(open, List.of("0", "1", "2", "3"), leaving, List.of()));

        assertThat(value(allocation.allocateShard(leaving, "4", current))).isEqualTo(open);
    }

    @Test
    void aNodeThatJoinsGetsAShardThatHasNothingToDoAndNeverOneOfALiveRun() {
        ActorRef old = node(10, Map.of("0", 1, "1", 0, "2", 3, "3", 1));
        ActorRef joined = node(10, Map.of());
        Map<ActorRef, IndexedSeq<String>> current = seqs(Map.of(old, List.of("0", "1", "2", "3"), joined, List.of()));

        assertThat(value(allocation.rebalance(current, Set.of()))).containsExactly("1");
        assertThat(value(allocation.rebalance(current, Set.of("1")))).isEmpty();
    }

    @Test
    void nothingMovesWhereEveryShardHasALiveRunOrEveryNodeItsShare() {
        ActorRef busy = node(10, Map.of("0", 1, "1", 1, "2", 3, "3", 1));
        ActorRef joined = node(10, Map.of());
        assertThat(value(allocation.rebalance(
                        seqs(Map.of(busy, List.of("0", "1", "2", "3"), joined, List.of())), Set.of())))
                .isEmpty();

        ActorRef idle = node(10, Map.of("0", 0, "1", 0));
        assertThat(value(allocation.rebalance(seqs(Map.of(idle, List.of("0", "1"), joined, List.of("2"))), Set.of())))
                .isEmpty();
    }

    private ActorRef node(int liveMax, Map<String, Integer> entities) {
        ActorRef region = SYSTEM.actorOf(Props.create(Region.class, () -> new Region(entities)));
        loads.put(region, new NodeLoad(region.path().name(), 0, liveMax, Intake.OPEN, Set.of()));
        return region;
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

    /** Answers as a shard region does. */
    private static final class Region extends AbstractActor {
        private final Map<String, Integer> entities;

        Region(Map<String, Integer> entities) {
            this.entities = entities;
        }

        @Override
        public Receive createReceive() {
            Map<String, Object> stats = new HashMap<>(entities);
            return receiveBuilder()
                    .matchEquals(ShardRegion.getRegionStatsInstance(), ask -> getSender()
                            .tell(
                                    new ShardRegion.ShardRegionStats(
                                            scala.collection.immutable.Map.from(CollectionConverters.asScala(stats))),
                                    getSelf()))
                    .build();
        }
    }
}
