package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.RunWriter;
import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.output.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cassandra killed with -9 under writes and started again: nothing acknowledged is lost, and nobody starts a node anew. */
@Timeout(240)
class KilledCassandraTest {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static final int RUNS = 8;
    private static final int FIRST_RUN = 20_000;
    private static final RunId PRINTING = Fixtures.run(21_000);

    private final Map<RunId, Long> acknowledged = new ConcurrentHashMap<>();

    @Test
    void anOutageLosesNothingThatWasAcknowledgedAndIsOverWhenTheServerIsBack() throws Exception {
        CassandraStore store = CASSANDRA.store();
        try (JournalWriter node = new JournalWriter(store)) {
            for (int n = 0; n < RUNS; n++) {
                RunId run = Fixtures.run(FIRST_RUN + n);
                node.system().systemActorOf(driver(run), "driver-" + n, Props.empty());
            }
            awaitMore(10);
            long printed = 0;
            for (int kill = 0; kill < 2; kill++) {
                long before = printed;
                await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> append(store, before));
                printed++;

                TestCassandra.server().kill();
                Map<RunId, Long> atTheKill = Map.copyOf(acknowledged);

                assertThat(store.runs()
                                .find(new RunIndex.Query(Set.of(), Map.of(), Optional.empty(), Optional.empty(), 9))
                                .toCompletableFuture())
                        .failsWithin(Duration.ofSeconds(20))
                        .withThrowableThat()
                        .withCauseInstanceOf(StoreUnavailable.class);
                assertThat(store.output().end(PRINTING).toCompletableFuture())
                        .failsWithin(Duration.ofSeconds(20))
                        .withThrowableThat()
                        .withCauseInstanceOf(StoreUnavailable.class);

                TestCassandra.server().startAgain();
                awaitMore(10);
                assertAllThere(store, atTheKill);
            }
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> store.projectionLag().compareTo(Duration.ofSeconds(2)) < 0);
            long end = printed;
            await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> assertThat(
                            join(store.output().end(PRINTING)))
                    .isGreaterThanOrEqualTo(end));
        }
        assertAllThere(store, acknowledged);
    }

    private static boolean append(CassandraStore store, long offset) {
        join(store.output()
                .append(PRINTING, List.of(new OutputChunk(1, Stream.STDOUT, offset, Fixtures.NOON, Blob.ofUtf8("x")))));
        return true;
    }

    private void awaitMore(long count) {
        Map<RunId, Long> before = Map.copyOf(acknowledged);
        await().atMost(Duration.ofSeconds(90))
                .until(() -> acknowledged.size() == RUNS
                        && acknowledged.entrySet().stream()
                                .allMatch(run -> run.getValue() >= before.getOrDefault(run.getKey(), 0L) + count));
    }

    private static void assertAllThere(CassandraStore store, Map<RunId, Long> acknowledged) {
        assertThat(acknowledged).hasSize(RUNS);
        acknowledged.forEach((run, seq) -> {
            ChainCheck.Verdict verdict = join(store.journal().check(run));
            assertThat(verdict).isInstanceOf(ChainCheck.Intact.class);
            assertThat(((ChainCheck.Intact) verdict).entries()).isGreaterThanOrEqualTo(seq);
            assertThat(join(store.journal().state(run))).isInstanceOf(RunState.Existing.class);
        });
    }

    private Behavior<Long> driver(RunId run) {
        return Behaviors.setup(context -> {
            ActorRef<RunWriter.Next> writer = context.spawn(RunWriter.of(run), "writer");
            next(context, writer);
            return Behaviors.receiveMessage(seq -> {
                if (seq >= 0) {
                    acknowledged.merge(run, seq, Math::max);
                }
                next(context, writer);
                return Behaviors.same();
            });
        });
    }

    /** A write that is lost on its way, in an outage, is asked for again. */
    private static void next(ActorContext<Long> context, ActorRef<RunWriter.Next> writer) {
        writer.tell(new RunWriter.Next(context.getSelf()));
        context.setReceiveTimeout(Duration.ofSeconds(1), -1L);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
