package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.trials.outside.LeftoverScan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.pekko.cluster.sharding.typed.HashCodeMessageExtractor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several nodes form one service: every node shows and cancels every run, and runs outlive the node that holds them. */
@Timeout(400)
class ClusterOfNodesTest {
    private static final int RUNS = 9;
    private static final int CUT_OFF = 76;
    private static final Duration END_MAX = Duration.ofSeconds(60);

    static final Agent ENDS_IN_ITS_SECOND_ATTEMPT = Agent.python(
                    """
                    import os, time
                    attempt = int(os.environ['VIVARIUM_ATTEMPT'])
                    print('attempt', attempt, os.environ['TOKEN'], flush=True)
                    if attempt == 1:
                        time.sleep(600)
                    """)
            .secret("TOKEN", "s3cret")
            .onNodeLoss("restart");

    private static final List<String> TOOK_TWO_ATTEMPTS = List.of(
            "RunSubmitted",
            "AttemptStarting",
            "AttemptStarted",
            "AttemptInterrupted",
            "AttemptStarting",
            "AttemptStarted",
            "RunSucceeded");

    @Test
    void theRunsOfAKilledNodeContinueElsewhereAndOthersAreLeftAlone() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = submit(asked, cluster.node(2));
            String cancelled = runs.values().iterator().next().get(0);
            cluster.node(3).cancel(cancelled);
            assertThat(cluster.node(2).awaitEnd(cancelled).path("status").asText())
                    .isEqualTo("CANCELLED");
            runs.values().forEach(list -> list.remove(cancelled));
            String victim = victim(runs);
            List<String> taken = runs.remove(victim);

            // when
            cluster.node(victim).kill();
            long killed = System.nanoTime();

            // then
            for (String run : taken) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
            }
            System.out.printf(
                    "%s killed with %d live runs: the last of them had run and ended elsewhere after %d ms%n",
                    victim, taken.size(), (System.nanoTime() - killed) / 1_000_000);
            assertTookTwoAttempts(asked, taken);
            assertLeftAlone(asked, runs);
            assertThat(cluster.twins()).isEmpty();
            // Detected by the closed port and not by the failure detector, which takes seconds longer.
            assertThat(cluster.nodes())
                    .extracting(WholeNode::log)
                    .anyMatch(log -> log.contains("has crashed"))
                    .noneMatch(log -> log.contains("SBR took decision"));
            await().atMost(END_MAX).until(() -> census.count().isNothing());
            await().atMost(END_MAX).untilAsserted(() -> assertThat(asked.acts("NodeJoined", "NodeRemoved"))
                    .containsExactly("NodeJoined", "NodeJoined", "NodeJoined", "NodeRemoved"));
        }
    }

    // Fenced take-overs have these faults too, in each build.
    @Test
    @Tag("long")
    void aFrozenNodeLosesItsRunsAndDoesNoHarmWhenItResumes() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.BOOTSTRAP);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = submit(asked, cluster.node(2));
            String victim = victim(runs);
            List<String> taken = runs.remove(victim);

            // when
            cluster.node(victim).signal("STOP");
            long frozen = System.nanoTime();

            // then
            for (String run : taken) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
            }
            System.out.printf(
                    "%s frozen with %d live runs: the last of them had run and ended elsewhere after %d ms%n",
                    victim, taken.size(), (System.nanoTime() - frozen) / 1_000_000);

            // when
            cluster.node(victim).signal("CONT");

            // then
            assertThat(cluster.node(victim).awaitExit(END_MAX)).isEqualTo(CUT_OFF);
            assertTookTwoAttempts(asked, taken);
            assertThat(cluster.twins()).isEmpty();
            assertLeftAlone(asked, runs);
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    @Test
    @Tag("long")
    void aNodeThatIsCutOffDestroysItsSandboxesAndEndsAndItsRunsContinueElsewhere() throws Exception {
        try (WholeCluster cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS);
                LeftoverScan census = cluster.census()) {
            // given
            WholeNode asked = cluster.node(1);
            Map<String, List<String>> runs = submit(asked, cluster.node(2));
            String victim = victim(runs);
            List<String> taken = runs.remove(victim);

            // when
            cluster.cutOff(victim);
            long cut = System.nanoTime();

            // then
            assertThat(cluster.node(victim).awaitExit(END_MAX)).isEqualTo(CUT_OFF);
            System.out.printf("%s cut off: it had ended after %d ms%n", victim, (System.nanoTime() - cut) / 1_000_000);
            for (String run : taken) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
            }
            System.out.printf(
                    "%s cut off with %d live runs: the last of them had run and ended elsewhere after %d ms%n",
                    victim, taken.size(), (System.nanoTime() - cut) / 1_000_000);
            for (String run : taken) {
                assertThat(asked.run(run).path("attempt").asInt()).isEqualTo(2);
                assertThat(asked.history(run)).filteredOn(History::isEnd).hasSize(1);
            }
            assertThat(cluster.twins()).isEmpty();
            assertLeftAlone(asked, runs);
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    /** Retries like a client, with the same key. */
    private static String firstAccepted(WholeNode node) {
        return await().atMost(END_MAX)
                .until(() -> node.submit(Agent.sleeper(), "the-first"), answer -> answer.status() == 202)
                .acceptedRun();
    }

    @Test
    @Tag("long")
    void aBurstFillsEachNodeToItsCapacityAndALeavingNodeHandsItsRunsOver() throws Exception {
        Map<String, Integer> capacity = Map.of("member-1", 2, "member-2", 8, "member-3", 4);
        try (WholeCluster cluster = new WholeCluster(
                        3,
                        WholeCluster.Formation.BOOTSTRAP,
                        number -> Map.of(
                                "vivarium.run.live-max",
                                capacity.get(WholeCluster.name(number)).toString(),
                                "vivarium.run.queue-max",
                                "0"));
                LeftoverScan census = cluster.census()) {
            // given: the coordinator has allocated the first shard
            WholeNode asked = cluster.node(2);
            String first = firstAccepted(asked);
            asked.cancel(first);
            asked.awaitEnd(first);

            // when
            List<String> runs = new ArrayList<>();
            for (int n = 0; n < 40 && runs.size() < 14; n++) {
                Answer answer = asked.submit(Agent.sleeper());
                if (answer.status() == 202) {
                    runs.add(answer.acceptedRun());
                } else {
                    // Shards are still being moved to nodes with room.
                    answer.assertProblem(429, "node-full");
                    Thread.sleep(500);
                }
            }

            // then
            Map<String, Integer> filled = new TreeMap<>();
            for (String run : runs) {
                filled.merge(asked.awaitRunning(run, 1).path("node").asText(), 1, Integer::sum);
            }
            System.out.println("filled: " + filled);
            assertThat(filled).containsExactlyInAnyOrderEntriesOf(capacity);
            asked.submit(Agent.sleeper()).assertProblem(429, "node-full");
            await().atMost(END_MAX).untilAsserted(() -> assertThat(taken(cluster.node(1)))
                    .containsExactlyInAnyOrderEntriesOf(capacity));

            // when
            for (String run : runs.subList(0, 9)) {
                asked.cancel(run);
                asked.awaitEnd(run);
            }
            List<String> handedOver = new ArrayList<>();
            for (String run : runs.subList(9, 14)) {
                if (asked.run(run).path("node").asText().equals("member-3")) {
                    handedOver.add(run);
                }
            }
            assertThat(cluster.node(3).stop()).isZero();

            // then
            System.out.println("handed over: " + handedOver.size());
            for (String run : handedOver) {
                assertThat(asked.awaitRunning(run, 2).path("node").asText()).isNotEqualTo("member-3");
            }
            for (String run : runs.subList(9, 14)) {
                asked.cancel(run);
                asked.awaitEnd(run);
            }
            assertThat(cluster.twins()).isEmpty();
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    @Test
    void aFullClusterQueuesRunsFairlyWithinLimitsAndLosesNoneWhenANodeLeaves() throws Exception {
        Agent quick = Agent.python("print('ran')");
        try (WholeCluster cluster = new WholeCluster(
                        3,
                        WholeCluster.Formation.SEEDS,
                        number -> Map.of(
                                "vivarium.run.live-max", "2",
                                "vivarium.run.queue-max", "8",
                                "vivarium.run.queue-tenant-max", "4"));
                LeftoverScan census = cluster.census()) {
            WholeNode asked = cluster.node(1);
            String first = firstAccepted(asked);
            asked.cancel(first);
            asked.awaitEnd(first);

            // given: one tenant holds every slot and has the maximum of waiting runs
            List<String> sleepers = new ArrayList<>();
            for (int n = 0; n < 6; n++) {
                sleepers.add(asked.submit(Agent.sleeper().tenant("busy")).acceptedRun());
            }
            List<String> busy = new ArrayList<>();
            Answer last = asked.submit(quick.tenant("busy"));
            while (last.status() == 202) {
                busy.add(last.acceptedRun());
                last = asked.submit(quick.tenant("busy"));
            }
            last.assertProblem(429, "tenant-full");
            // The numbers of waiting runs on other nodes are up to half a second old.
            assertThat(busy).hasSizeBetween(8, 12);

            // when: another tenant comes
            String small = asked.submit(quick.tenant("small")).acceptedRun();

            // then
            JsonNode waiting = asked.run(small);
            assertThat(waiting.path("status").asText()).isEqualTo("QUEUED");
            assertThat(waiting.path("queue").path("position").asInt()).isEqualTo(1);
            assertThat(waiting.path("queue").path("waiting").asInt()).isGreaterThan(1);
            assertThat(asked.history(small)).containsExactly("RunSubmitted", "RunQueued");

            // when: a node with waiting runs leaves
            assertThat(cluster.node(3).stop()).isZero();

            // then: they wait on the others
            for (String run : busy) {
                await().atMost(END_MAX)
                        .until(() ->
                                asked.run(run).path("queue").path("position").isInt());
            }
            sleepers.forEach(run -> cancelled(asked, run));
            for (String run : busy) {
                assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
                assertThat(asked.history(run))
                        .containsExactly(
                                "RunSubmitted", "RunQueued", "AttemptStarting", "AttemptStarted", "RunSucceeded");
            }
            assertThat(asked.awaitEnd(small).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(cluster.twins()).isEmpty();
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    @Test
    @Tag("long")
    void waitingRunsMoveToFreeSlots() throws Exception {
        HashCodeMessageExtractor<Object> shards = new HashCodeMessageExtractor<>(32);
        String small = WholeCluster.name(1);
        String large = WholeCluster.name(2);
        try (WholeCluster cluster = new WholeCluster(
                        2,
                        WholeCluster.Formation.SEEDS,
                        number -> Map.of("vivarium.run.live-max", number == 1 ? "1" : "3"));
                LeftoverScan census = cluster.census()) {
            // given: all slots are taken, and runs wait on the small node, one of them in a shard where none runs
            WholeNode asked = cluster.node(1);
            List<String> runs = new ArrayList<>(List.of(firstAccepted(asked)));
            while (runs.size() < 4) {
                runs.add(asked.submit(Agent.sleeper()).acceptedRun());
            }
            Map<String, String> nodes = new TreeMap<>();
            for (String run : runs) {
                nodes.put(run, asked.awaitRunning(run, 1).path("node").asText());
            }
            String onSmall = runs.stream()
                    .filter(run -> nodes.get(run).equals(small))
                    .findFirst()
                    .orElseThrow();
            String mover = await().atMost(END_MAX)
                    .pollInterval(Duration.ofMillis(500))
                    .until(
                            () -> {
                                String run = asked.submit(Agent.sleeper()).acceptedRun();
                                nodes.put(run, lastNode(asked, run));
                                return run;
                            },
                            run -> nodes.get(run).equals(small)
                                    && !shards.shardId(run).equals(shards.shardId(onSmall)));

            // when: all runs of the large node end
            for (Map.Entry<String, String> run : nodes.entrySet()) {
                if (run.getValue().equals(large)) {
                    cancelled(asked, run.getKey());
                }
            }

            // then
            assertThat(asked.awaitRunning(mover, 1).path("node").asText()).isEqualTo(large);
            assertThat(asked.run(onSmall).path("attempt").asInt()).isEqualTo(1);
            assertThat(asked.run(onSmall).path("status").asText()).isEqualTo("RUNNING");
            for (Map.Entry<String, String> run : nodes.entrySet()) {
                if (run.getValue().equals(small)) {
                    cancelled(asked, run.getKey());
                }
            }
            await().atMost(END_MAX).until(() -> census.count().isNothing());
        }
    }

    /** The node named in the run's last event. */
    private static String lastNode(WholeNode asked, String run) throws Exception {
        JsonNode events = asked.events(run);
        return events.path(events.size() - 1).path("node").asText();
    }

    private static void cancelled(WholeNode asked, String run) {
        try {
            asked.cancel(run);
        } catch (java.io.IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        }
        assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("CANCELLED");
    }

    /** Runs, by the node that holds them, once all are running. */
    static Map<String, List<String>> submit(WholeNode to, WholeNode seenFrom) throws Exception {
        List<String> ids = new ArrayList<>();
        for (int n = 0; n < RUNS; n++) {
            ids.add(accepted(to, UUID.randomUUID().toString()));
        }
        Map<String, List<String>> byNode = new TreeMap<>();
        for (String id : ids) {
            JsonNode run = seenFrom.awaitRunning(id, 1);
            seenFrom.awaitPrinted(id, "attempt 1 s3cret");
            byNode.computeIfAbsent(run.path("node").asText(), node -> new ArrayList<>())
                    .add(id);
        }
        System.out.println("runs by node: "
                + byNode.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue()
                        .size())));
        assertThat(byNode).hasSizeGreaterThan(1);
        return byNode;
    }

    /** As clients do: a submission that a node, still busy with its start, does not answer in time is sent again with its key. */
    private static String accepted(WholeNode to, String key) {
        return await().atMost(END_MAX)
                .until(() -> to.submit(ENDS_IN_ITS_SECOND_ATTEMPT, key), answer -> answer.status() != 503)
                .acceptedRun();
    }

    /** A node that holds some of the runs, other than the one that is asked. */
    static String victim(Map<String, List<String>> runs) {
        return WholeCluster.name(runs.get(WholeCluster.name(3)) == null ? 2 : 3);
    }

    /** The number of runs with a slot on each node, as reported by one of them. */
    private static Map<String, Integer> taken(WholeNode asked) throws Exception {
        Map<String, Integer> taken = new TreeMap<>();
        asked.get("/v1/nodes")
                .body()
                .path("nodes")
                .forEach(node -> taken.put(
                        node.path("name").asText(),
                        node.path("taken").path("runs").asInt()));
        return taken;
    }

    /** Asserts that the runs are still in their first attempt, and cancels them. */
    static void assertLeftAlone(WholeNode asked, Map<String, List<String>> runs) throws Exception {
        for (String run : runs.values().stream().flatMap(List::stream).toList()) {
            assertThat(asked.run(run).path("status").asText()).isEqualTo("RUNNING");
            assertThat(asked.run(run).path("attempt").asInt()).isEqualTo(1);
            asked.cancel(run);
            asked.awaitEnd(run);
        }
    }

    private static void assertTookTwoAttempts(WholeNode node, List<String> runs) throws Exception {
        for (String run : runs) {
            assertThat(node.history(run)).isEqualTo(TOOK_TWO_ATTEMPTS);
            assertThat(node.printed(run)).isEqualTo("attempt 1 s3cret\nattempt 2 s3cret\n");
        }
    }
}
