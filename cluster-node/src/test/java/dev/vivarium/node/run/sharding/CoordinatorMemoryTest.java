package dev.vivarium.node.run.sharding;

import static org.assertj.core.api.Assertions.assertThat;
import static scala.jdk.javaapi.CollectionConverters.asJava;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.cluster.sharding.internal.RememberEntitiesCoordinatorStore;
import org.apache.pekko.testkit.TestProbe;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CoordinatorMemoryTest {
    private final ActorSystem system = ActorSystem.create("coordinator-memory");
    private final TestProbe coordinator = new TestProbe(system, "coordinator");
    private final Store store = new Store();

    @AfterEach
    void stop() {
        TestKit.shutdownActorSystem(system);
    }

    @Test
    void theCoordinatorLearnsWhichShardsHaveRememberedRuns() {
        ask(memory());

        assertThat(rememberedShards()).containsExactlyInAnyOrder("3", "17");
    }

    @Test
    void anUnavailableStoreIsRetriedUntilItAnswers() {
        store.failures.set(2);

        ask(memory());

        assertThat(rememberedShards()).containsExactlyInAnyOrder("3", "17");
        assertThat(store.failures).hasValueLessThan(0);
    }

    @Test
    void aShardIsAllocatedWhileTheStoreIsUnavailable() {
        store.failures.set(Integer.MAX_VALUE);
        ActorRef memory = memory();
        ask(memory);

        memory.tell(new RememberEntitiesCoordinatorStore.AddShard("5"), coordinator.ref());

        coordinator.expectMsg(new RememberEntitiesCoordinatorStore.UpdateDone("5"));
    }

    private ActorRef memory() {
        RememberedSource.set(Adapter.toTyped(system), store);
        return system.actorOf(CoordinatorMemory.props(), "memory");
    }

    private void ask(ActorRef memory) {
        memory.tell(RememberEntitiesCoordinatorStore.GetShards$.MODULE$, coordinator.ref());
    }

    private Set<String> rememberedShards() {
        return asJava(coordinator
                .expectMsgClass(RememberEntitiesCoordinatorStore.RememberedShards.class)
                .entities());
    }

    /** Answers after a given number of failures. */
    private static final class Store implements RememberedRuns {
        private final AtomicInteger failures = new AtomicInteger();

        @Override
        public CompletionStage<Set<String>> shards() {
            return failures.getAndDecrement() > 0
                    ? CompletableFuture.failedStage(new StoreUnavailable("the store is away", new Exception("test")))
                    : CompletableFuture.completedStage(Set.of("3", "17"));
        }

        @Override
        public CompletionStage<Set<RunId>> in(String shard) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletionStage<Done> remember(String shard, RunId run) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletionStage<Done> forget(String shard, RunId run) {
            throw new UnsupportedOperationException();
        }
    }
}
