package dev.vivarium.node.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.TakeoverWait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Join;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Keepers of several nodes, each with its own actor system, over real connections. */
@Timeout(120)
class LeaseKeeperTest {
    private static final Duration LENGTH = Duration.ofMillis(5_200);
    private static final Duration MOST = Duration.ofMinutes(1);
    private static final Duration REPORTS_MAX = Duration.ofSeconds(10);

    private final List<Node> nodes = new ArrayList<>();

    private record Node(ActorSystem<Void> system, NodeLease lease, TakeoverWait takeovers) {
        static Node named(String name) {
            NodeLease lease = NodeLease.of(LENGTH, NodeClock.system());
            TakeoverWait wait = TakeoverWait.of(MOST, NodeClock.system());
            Config config = ConfigFactory.parseString(
                            """
                    pekko.loglevel = WARNING
                    pekko.remote.artery.canonical { hostname = 127.0.0.1, port = 0 }
                    pekko.cluster.configuration-compatibility-check.enforce-on-join = off
                    pekko.coordinated-shutdown.run-by-actor-system-terminate = off
                    vivarium.cluster.node-name = %s
                    """
                                    .formatted(name))
                    .withFallback(ConfigFactory.defaultReferenceUnresolved())
                    .resolve();
            ActorSystem<Void> system = ActorSystem.create(
                    Behaviors.setup(context -> {
                        context.spawn(LeaseKeeper.create(lease, wait, LENGTH, NodeClock.system()), LeaseKeeper.NAME);
                        return Behaviors.empty();
                    }),
                    "keepers",
                    config);
            return new Node(system, lease, wait);
        }

        Cluster cluster() {
            return Cluster.get(system);
        }

        /** Dies like a killed process: without notifying the others. */
        void die() {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().join();
        }
    }

    @AfterEach
    void stop() {
        nodes.forEach(Node::die);
    }

    @Test
    void onlyMembersHaveALease() {
        cluster("a", "b", "c");
        Node stranger = Node.named("d");
        nodes.add(stranger);

        await().untilAsserted(() -> assertThat(nodes.subList(0, 3)).allMatch(node -> node.lease.isFresh()));
        assertThat(stranger.lease.isFresh()).isFalse();
    }

    @Test
    void aMemberThatGetsNoAnswersHasNoLease() {
        cluster("a", "b", "c");
        await().untilAsserted(() -> assertThat(nodes).allMatch(node -> node.lease.isFresh()));

        nodes.get(1).die();
        nodes.get(2).die();

        await().atMost(LENGTH.plusSeconds(5)).until(() -> nodes.get(0).lease.remainingMillis() == 0);
    }

    @Test
    void theEndOfTheLeaseOfANodeThatWasGivenUpIsKnownToAll() {
        cluster("a", "b", "c");
        await().untilAsserted(() -> assertThat(nodes).allMatch(node -> node.lease.isFresh()));
        Node lost = nodes.get(2);
        lost.die();
        long died = System.nanoTime();

        nodes.get(0)
                .cluster()
                .manager()
                .tell(new Down(lost.cluster().selfMember().address()));

        for (Node left : nodes.subList(0, 2)) {
            await().until(() -> left.takeovers.left("c", System.nanoTime()).compareTo(MOST.minusSeconds(1)) < 0);
            Duration end = left.takeovers.left("c", System.nanoTime()).plusNanos(System.nanoTime() - died);
            assertThat(end)
                    .isGreaterThanOrEqualTo(Duration.ofMillis(lost.lease.remainingMillis()))
                    // Reports count from their arrival, which a busy machine delays.
                    .isLessThan(LENGTH.plus(REPORTS_MAX));
            assertThat(left.takeovers.left("b", System.nanoTime())).isGreaterThan(MOST.minusSeconds(1));
        }
    }

    @Test
    void aLiveNodeThatWasGivenUpIsGrantedNoLease() {
        cluster("a", "b", "c");
        await().untilAsserted(() -> assertThat(nodes).allMatch(node -> node.lease.isFresh()));
        Node lost = nodes.get(2);

        nodes.get(0)
                .cluster()
                .manager()
                .tell(new Down(lost.cluster().selfMember().address()));

        await().atMost(LENGTH.plusSeconds(5)).until(() -> lost.lease.remainingMillis() == 0);
        assertThat(nodes.subList(0, 2)).allMatch(node -> node.lease.isFresh());
    }

    private void cluster(String... names) {
        for (String name : names) {
            Node node = Node.named(name);
            nodes.add(node);
            Cluster first = nodes.get(0).cluster();
            node.cluster().manager().tell(Join.create(first.selfMember().address()));
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> first.state().members().size() == nodes.size());
        }
    }
}
