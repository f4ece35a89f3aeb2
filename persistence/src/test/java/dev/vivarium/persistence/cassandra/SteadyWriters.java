package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.RunWriter;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Runs whose histories grow steadily, with the acknowledged events of each. */
final class SteadyWriters implements AutoCloseable {
    private static final int RUNS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final CassandraStore store;
    private final JournalWriter node;
    private final Map<RunId, Long> acknowledged = new ConcurrentHashMap<>();

    /** @param firstRun the number of the first run; nothing else may write to these runs */
    SteadyWriters(CassandraStore store, int firstRun) {
        this.store = store;
        this.node = new JournalWriter(store);
        for (int n = 0; n < RUNS; n++) {
            node.system().systemActorOf(driver(Fixtures.run(firstRun + n)), "driver-" + n, Props.empty());
        }
    }

    /** The number of each run's last acknowledged event. */
    Map<RunId, Long> acknowledged() {
        return Map.copyOf(acknowledged);
    }

    /** Waits until every run has this many further events. */
    void awaitMore(long count) {
        Map<RunId, Long> before = acknowledged();
        await().atMost(PATIENCE)
                .until(() -> acknowledged.size() == RUNS
                        && acknowledged.entrySet().stream()
                                .allMatch(run -> run.getValue() >= before.getOrDefault(run.getKey(), 0L) + count));
    }

    void assertAllThere(Map<RunId, Long> expected) {
        assertThat(expected).hasSize(RUNS);
        expected.forEach((run, seq) -> {
            ChainCheck.Verdict verdict = join(store.journal().check(run));
            assertThat(verdict).isInstanceOf(ChainCheck.Intact.class);
            assertThat(((ChainCheck.Intact) verdict).entries()).isGreaterThanOrEqualTo(seq);
            assertThat(join(store.journal().state(run))).isInstanceOf(RunState.Existing.class);
        });
    }

    /** Stops writing. */
    @Override
    public void close() {
        node.close();
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

    /** Repeats a write that was lost in an outage. */
    private static void next(ActorContext<Long> context, ActorRef<RunWriter.Next> writer) {
        writer.tell(new RunWriter.Next(context.getSelf()));
        context.setReceiveTimeout(Duration.ofSeconds(1), -1L);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
