package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.run.Isolation;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Large submissions reach runs on other nodes than the one that accepts them. */
@Timeout(400)
class LargeSubmissionsTest {
    private static final int RUNS = 4;
    /** The first node of a new cluster has all shards, and gives one away every two seconds. */
    private static final Duration SPREAD_MAX = Duration.ofMinutes(2);

    private static final String PRINTS_DIGEST =
            """
            import hashlib
            print(hashlib.sha256(open('content', 'rb').read()).hexdigest())
            """;

    private static WholeCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = new WholeCluster(3, WholeCluster.Formation.SEEDS);
        // Small runs tell in a moment where the shards are; each large one would take seconds.
        assertSucceedsThroughEveryNode(Agent.python("print('small')"), "small\n");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
    }

    @Test
    void aFileOfOneMegabyteReachesItsRunThroughEveryNode() throws Exception {
        assertReachesItsRunThroughEveryNode("0123456789".repeat(100_000));
    }

    @Test
    void aFileOfFiveMebibytesReachesItsRunThroughEveryNode() throws Exception {
        assertReachesItsRunThroughEveryNode("0123456789abcdef".repeat(5 << 16));
    }

    @Test
    @Tag("long")
    void theLargestAdmissibleSubmissionReachesItsRunThroughEveryNode() throws Exception {
        // given: arguments, environment and labels at their limits, and paths up to the limit of the whole submission
        Agent agent = Agent.python(
                """
                import os
                found = sum(len(files) for place, dirs, files in os.walk('/workspace'))
                print(found, sum(len(value) for name, value in os.environ.items() if name.startswith('LARGE')))
                """);
        for (int n = 0; n < 4; n++) {
            agent = agent.env("LARGE" + n, "é".repeat(60_000));
        }
        for (int n = 0; n < 63; n++) {
            agent = agent.label("label-" + n, "ü".repeat(255));
        }
        String folder = ("x".repeat(250) + "/").repeat(3);
        int admitted = 0;
        int refused = 1_000;
        while (refused - admitted > 1) {
            int middle = (admitted + refused) / 2;
            if (isAdmitted(withFiles(agent, folder, middle))) {
                admitted = middle;
            } else {
                refused = middle;
            }
        }

        // then
        assertSucceedsThroughEveryNode(withFiles(agent, folder, admitted), admitted + " 240000\n");
        Answer answer = cluster.node(1).submit(withFiles(agent, folder, refused));
        answer.assertProblem(400, "invalid-run");
        assertThat(answer.body().path("errors").path(0).path("field").asText()).isEqualTo("files");
    }

    private static Agent withFiles(Agent agent, String folder, int count) {
        Agent with = agent;
        for (int n = 0; n < count; n++) {
            with = with.file(folder + n, "");
        }
        return with;
    }

    private static boolean isAdmitted(Agent agent) {
        return Samples.reader(Isolation.CONTAINER)
                        .read(agent.json().getBytes(StandardCharsets.UTF_8), Identity.LOCAL_OPERATOR)
                instanceof SubmissionReader.Reading.Valid;
    }

    private static void assertReachesItsRunThroughEveryNode(String content) throws Exception {
        String digest = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8)));
        assertSucceedsThroughEveryNode(Agent.python(PRINTS_DIGEST).file("content", content), digest + "\n");
    }

    /**
     * The key of a submission decides on which node its run lives (without a key, an idle cluster takes the first node). So several
     * runs are submitted to each node at once, until one of them lives on another node.
     */
    private static void assertSucceedsThroughEveryNode(Agent agent, String prints) throws Exception {
        for (int number = 1; number <= 3; number++) {
            String own = WholeCluster.name(number);
            Set<String> livedOn = new TreeSet<>();
            long latest = System.nanoTime() + SPREAD_MAX.toNanos();
            while (Set.of(own).containsAll(livedOn) && System.nanoTime() - latest < 0) {
                livedOn.addAll(succeedThrough(cluster.node(number), own, agent, prints));
            }
            System.out.println("through " + own + " to " + livedOn);
            livedOn.remove(own);
            assertThat(livedOn)
                    .as("other nodes than %s on which runs lived", number)
                    .isNotEmpty();
        }
    }

    /** The nodes on which the runs lived. */
    private static Set<String> succeedThrough(WholeNode node, String name, Agent agent, String prints)
            throws Exception {
        List<String> runs = new ArrayList<>();
        for (int count = 0; count < RUNS; count++) {
            long started = System.nanoTime();
            runs.add(node.submit(agent, UUID.randomUUID().toString()).acceptedRun());
            System.out.printf(
                    "%d bytes through %s: accepted after %d ms%n",
                    agent.json().length(), name, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
        }
        Set<String> livedOn = new TreeSet<>();
        for (String run : runs) {
            JsonNode ended = node.awaitEnd(run);
            assertThat(ended.path("status").asText()).as("the run %s", ended).isEqualTo("SUCCEEDED");
            assertThat(node.printed(run)).isEqualTo(prints);
            livedOn.add(ended.path("node").asText());
        }
        return livedOn;
    }
}
