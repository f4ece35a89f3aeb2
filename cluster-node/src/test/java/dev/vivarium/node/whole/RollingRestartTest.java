package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.trials.outside.LeftoverScan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All nodes are restarted one after the other, under load. */
@Tag("long")
@Timeout(900)
class RollingRestartTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String DRAIN = "45s";
    private static final int CLIENTS = 2;
    private static final Agent SHORT = Agent.python("import time; time.sleep(2); print('done')");

    @Test
    void noRunIsLostAndNoneIsKilledThatWouldHaveEndedWithinTheDrain() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS, number -> Map.of(), DRAIN);
                LeftoverScan census = cluster.census();
                SteadyLoad load = new SteadyLoad(CLIENTS, SHORT, cluster::credentials, () -> cluster.nodes().stream()
                        .map(WholeNode::uri)
                        .toList())) {
            // given
            await().atMost(PATIENCE).until(() -> load.acknowledged().size() > 5);

            // when
            for (int number = 1; number <= 3; number++) {
                int before = load.acknowledged().size();
                cluster.restart(number);
                await().atMost(PATIENCE).until(() -> load.acknowledged().size() > before + 3);
            }
            load.stop();

            // then
            List<String> runs = load.acknowledged();
            System.out.println("a rolling restart under load: " + runs.size() + " runs, answers " + load.statuses());
            WholeNode asked = cluster.node(1);
            for (String run : runs) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
                // A run whose shard is being moved waits until that is done.
                assertThat(asked.history(run))
                        .filteredOn(event -> !event.equals("RunQueued"))
                        .as(asked.events(run).toString())
                        .containsExactly("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");
            }
            assertThat(load.statuses().keySet()).isSubsetOf(0, 202, 429, 503);
            assertThat(cluster.twins()).isEmpty();
            await().atMost(PATIENCE).until(() -> census.count().isNothing());
        }
    }
}
