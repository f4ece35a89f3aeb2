package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.trials.outside.LeftoverScan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No run has two live sandboxes when its cluster is partitioned, and the right part continues. */
@Timeout(900)
class FencedTakeOverTest {
    private static final int CUT_OFF = 76;
    private static final Duration END_MAX = Duration.ofSeconds(90);
    private static final Map<String, String> ENGINE_NOT_ASKED =
            Map.of("vivarium.cluster.fencing.engine", "own", "vivarium.reaper.interval", "10m");

    /**
     * The guests' clock, bounded by their node's lease, with both other guards disabled: the channel of a frozen node stays
     * open, and no reaper sweeps. The engine is not asked either, since the nodes are configured as having an engine each.
     */
    @Test
    void guestsOfAFrozenNodeEndByTheirClockBeforeTheNextAttemptBegins() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS, number -> ENGINE_NOT_ASKED);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = ClusterOfNodesTest.submit(asked, cluster.node(2));
            String victim = ClusterOfNodesTest.victim(runs);
            List<String> taken = runs.remove(victim);

            // when
            cluster.node(victim).signal("STOP");
            long frozen = System.nanoTime();

            // then
            await().atMost(END_MAX).pollInterval(Duration.ofMillis(50)).until(() -> {
                Map<String, List<Integer>> running = cluster.running();
                return taken.stream()
                        .noneMatch(run -> running.getOrDefault(run, List.of()).contains(1));
            });
            System.out.printf(
                    "%s frozen: the first attempts of its runs had ended after %d ms%n",
                    victim, (System.nanoTime() - frozen) / 1_000_000);
            assertEndedElsewhere(asked, taken);
            System.out.printf(
                    "%s frozen, engines their own: its runs had ended elsewhere after %d ms%n",
                    victim, (System.nanoTime() - frozen) / 1_000_000);
            assertThat(cluster.twins()).isEmpty();

            // when
            cluster.node(victim).signal("CONT");

            // then
            assertThat(cluster.node(victim).awaitExit(END_MAX)).isEqualTo(CUT_OFF);
            ClusterOfNodesTest.assertLeftAlone(asked, runs);
            assertThat(cluster.twins()).isEmpty();
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    /** The engine is not asked, as above; the node that is cut off keeps running, and reaches its store and its engine. */
    @Test
    @Tag("long")
    void aNodeThatIsCutOffHasEndedItsSandboxesBeforeTheNextAttemptBegins() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS, number -> ENGINE_NOT_ASKED);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = ClusterOfNodesTest.submit(asked, cluster.node(2));
            String victim = ClusterOfNodesTest.victim(runs);
            List<String> taken = runs.remove(victim);

            // when
            cluster.cutOff(victim);
            long cut = System.nanoTime();

            // then
            assertEndedElsewhere(asked, taken);
            System.out.printf(
                    "%s cut off, engines their own: its runs had ended elsewhere after %d ms%n",
                    victim, (System.nanoTime() - cut) / 1_000_000);
            assertThat(cluster.node(victim).awaitExit(END_MAX)).isEqualTo(CUT_OFF);
            assertThat(cluster.twins()).isEmpty();
            ClusterOfNodesTest.assertLeftAlone(asked, runs);
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    @Test
    @Tag("long")
    void ofTwoEqualHalvesTheOneWithTheLowestAddressContinuesAndTheOtherEnds() throws Exception {
        try (WholeCluster cluster = new WholeCluster(4, WholeCluster.Formation.SEEDS);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = ClusterOfNodesTest.submit(asked, cluster.node(2));
            List<String> taken = new ArrayList<>();
            for (int lost : List.of(3, 4)) {
                List<String> held = runs.remove(WholeCluster.name(lost));
                if (held != null) {
                    taken.addAll(held);
                }
            }

            // when
            cluster.split(List.of(1, 2), List.of(3, 4));
            long split = System.nanoTime();

            // then
            for (int lost : List.of(3, 4)) {
                assertThat(cluster.node(lost).awaitExit(END_MAX)).isEqualTo(CUT_OFF);
            }
            System.out.printf(
                    "two against two: the half that gives up had ended after %d ms%n",
                    (System.nanoTime() - split) / 1_000_000);
            assertEndedElsewhere(asked, taken);
            System.out.printf(
                    "two against two: %d runs of the lost half had ended elsewhere after %d ms%n",
                    taken.size(), (System.nanoTime() - split) / 1_000_000);
            ClusterOfNodesTest.assertLeftAlone(asked, runs);
            assertThat(cluster.twins()).isEmpty();
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    /** Each ended once, in its second attempt. */
    private static void assertEndedElsewhere(WholeNode asked, List<String> taken) throws Exception {
        for (String run : taken) {
            assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(asked.run(run).path("attempt").asInt()).isEqualTo(2);
            assertThat(asked.history(run)).filteredOn(History::isEnd).hasSize(1);
        }
    }
}
