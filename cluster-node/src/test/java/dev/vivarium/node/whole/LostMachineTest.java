package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Nodes with a container engine each, as in the manifests: one node is killed together with its engine, so that nothing is
 * left that could end its sandboxes or report about them.
 */
@Timeout(400)
class LostMachineTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SURVIVOR = WholeCluster.name(1);
    private static final String LOST = WholeCluster.name(2);

    @Test
    @Tag("long")
    void agentsOfALostMachineEndBeforeTheirRunsContinueElsewhereAndItComesBackClean() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        try (PrivateEngine survivors = PrivateEngine.start();
                PrivateEngine losts = PrivateEngine.start();
                WholeCluster cluster = WholeCluster.withEnginesOfTheirOwn(
                        // The engines' sandboxes are counted: those of runs.
                        List.of(survivors, losts), Map.of("vivarium.pool.ceiling", "0"))) {
            // given
            WholeNode asked = cluster.node(SURVIVOR);
            Map<String, List<String>> runs = ClusterOfNodesTest.submit(asked, cluster.node(LOST));
            assertThat(runs).containsOnlyKeys(SURVIVOR, LOST);
            List<String> taken = runs.remove(LOST);
            assertThat(sandboxes(losts)).hasSameSizeAs(taken);
            Map<String, List<ProcessHandle>> agents = new TreeMap<>();
            for (String run : taken) {
                agents.put(run, processes(losts, run));
            }

            // when
            long lost = System.nanoTime();
            cluster.node(LOST).kill();
            losts.kill();

            // then
            Map<String, Instant> ended = new TreeMap<>();
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
                agents.forEach((run, processes) -> {
                    if (processes.stream().noneMatch(ProcessHandle::isAlive)) {
                        ended.putIfAbsent(run, Instant.now());
                    }
                });
                return ended.size() == taken.size();
            });
            System.out.printf(
                    "node and engine killed with %d live runs: the last agent had ended after %d ms%n",
                    taken.size(), (System.nanoTime() - lost) / 1_000_000);
            for (String run : taken) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
                assertThat(asked.printed(run)).isEqualTo("attempt 1 s3cret\nattempt 2 s3cret\n");
                assertThat(begun(asked, run, 2)).isAfter(ended.get(run));
            }
            System.out.printf(
                    "node and engine killed: the last of its runs had run and ended elsewhere after %d ms%n",
                    (System.nanoTime() - lost) / 1_000_000);
            assertThat(cluster.twins()).isEmpty();

            // when: the machine is back, with its engine's and its node's data
            losts.comeBack();
            cluster.startAgain(2);

            // then
            await().atMost(PATIENCE).until(() -> sandboxes(losts).isEmpty());
            ClusterOfNodesTest.assertLeftAlone(asked, runs);
            await().atMost(PATIENCE).until(() -> sandboxes(survivors).isEmpty());
        }
    }

    /** The engine's sandbox containers, running or not. */
    private static List<String> sandboxes(PrivateEngine engine) throws Exception {
        return engine.docker("ps", "--all", "--quiet").lines().toList();
    }

    /** All processes of the run's sandbox. */
    private static List<ProcessHandle> processes(PrivateEngine engine, String run) throws Exception {
        String container =
                engine.docker("ps", "--quiet", "--filter", "name=" + run).strip();
        ProcessHandle guest = ProcessHandle.of(
                        Long.parseLong(engine.docker("inspect", "--format", "{{.State.Pid}}", container)
                                .strip()))
                .orElseThrow();
        List<ProcessHandle> all = new ArrayList<>(guest.descendants().toList());
        assertThat(all).isNotEmpty();
        all.add(guest);
        return all;
    }

    /** When the agent of the attempt started. */
    private static Instant begun(WholeNode asked, String run, int attempt) throws Exception {
        JsonNode events = asked.events(run);
        return StreamSupport.stream(events.spliterator(), false)
                .filter(event -> event.path("type").asText().equals("AttemptStarted"))
                .map(event -> Instant.parse(event.path("at").asText()))
                .toList()
                .get(attempt - 1);
    }
}
