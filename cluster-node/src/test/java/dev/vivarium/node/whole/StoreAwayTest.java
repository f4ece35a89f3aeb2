package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.RetryPolicy;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Cassandra becomes unavailable under load and comes back, and nothing has to be restarted. */
@Tag("long")
@Timeout(900)
class StoreAwayTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration AWAY = Duration.ofSeconds(Integer.getInteger("vivarium.test.store-away-seconds", 20));
    private static final int CLIENTS = 2;
    private static final Set<String> TERMINAL = Set.of("SUCCEEDED", "FAILED", "KILLED", "CANCELLED", "LOST");
    private static final Agent SHORT = Agent.python("import time; time.sleep(2); print('done')");

    @Test
    void submissionsAreRefusedMeanwhileAndEachAcknowledgedRunEndsOnce() throws Exception {
        try (ClusterByCommand cluster = new ClusterByCommand()) {
            // given
            ClusterByCommand.Ended up = cluster.up("--nodes", "2");
            assertThat(up.code()).as(up.err()).isZero();
            List<URI> nodes = List.of(URI.create(cluster.api(1)), URI.create(cluster.api(2)));
            ApiClient asked = new ApiClient(nodes.get(0), cluster.credentials(), RetryPolicy.NONE);
            List<Long> processes = List.of(cluster.pid("node-1"), cluster.pid("node-2"));
            String sleeper;
            List<String> acknowledged;
            try (SteadyLoad load = new SteadyLoad(CLIENTS, SHORT, node -> cluster.credentials(), () -> nodes)) {
                sleeper = asked.submit(Agent.sleeper().body()).path("id").asText();
                awaitStatus(asked, sleeper, Set.of("RUNNING"));
                await().atMost(PATIENCE).until(() -> load.acknowledged().size() > 5);

                // when
                assertThat(cluster.vivarium("cluster", "kill", "store").code()).isZero();
                long killed = System.nanoTime();
                await().atMost(AWAY.plus(PATIENCE))
                        .until(() -> System.nanoTime() - killed > AWAY.toNanos()
                                && during(load, killed).anyMatch(made -> made.status() == 503));

                // then
                assertThat(during(load, killed)).noneMatch(made -> made.status() == 202);
                assertThat(cluster.states().values()).doesNotContain("READY");
                System.out.println("the store was away for " + AWAY + ": answers " + load.statuses());
                ClusterByCommand.Ended back = cluster.vivarium("cluster", "start", "store");
                assertThat(back.code()).as(back.err()).isZero();
                long started = System.nanoTime();
                int before = load.acknowledged().size();
                await().atMost(PATIENCE).until(() -> load.acknowledged().size() > before + 3);
                System.out.printf(
                        "further runs were acknowledged %d ms after the store was back%n",
                        (System.nanoTime() - started) / 1_000_000);
                load.stop();
                System.out.println("and came back: answers " + load.statuses());
                acknowledged = load.acknowledged();
            }

            // then
            assertThat(List.of(cluster.pid("node-1"), cluster.pid("node-2"))).isEqualTo(processes);
            assertThat(cluster.states())
                    .containsExactlyInAnyOrderEntriesOf(Map.of("node-1", "READY", "node-2", "READY", "store", "READY"));
            for (String run : acknowledged) {
                awaitStatus(asked, run, TERMINAL);
                assertThat(ends(asked, run)).as(run).hasSize(1);
            }
            awaitStatus(asked, sleeper, Set.of("RUNNING"));
            asked.cancel(sleeper);
            awaitStatus(asked, sleeper, Set.of("CANCELLED"));
            assertThat(ends(asked, sleeper)).containsExactly("RunCancelled");
        }
    }

    /** Requests that began after that time. */
    private static Stream<SteadyLoad.Try> during(SteadyLoad load, long nanos) {
        return load.tries().stream().filter(made -> made.begunNanos() - nanos > 0);
    }

    private void awaitStatus(ApiClient node, String run, Set<String> wanted) {
        await(run)
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> node.run(run).path("status").asText(), wanted::contains);
    }

    private List<String> ends(ApiClient node, String run) throws Exception {
        return StreamSupport.stream(node.events(run).path("events").spliterator(), false)
                .map(event -> event.path("type").asText())
                .filter(History::isEnd)
                .toList();
    }
}
