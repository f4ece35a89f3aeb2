package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.trials.outside.LeftoverScan;
import dev.vivarium.trials.outside.Leftovers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * When a busy node is killed with -9, its sandboxes end with it, and its runs continue or end according to their policy.
 * Of the three guards only the dead-man's switch acts here: the reaper has died with the only node, and the guests' clocks
 * run for minutes.
 */
@Timeout(300)
class KilledNodeTest {
    /** How long agents may outlive their node at most on a machine without other load. */
    private static final Duration ORPHANS_MAX = Duration.ofSeconds(1);
    /** The time is printed beside the goal; on a shared machine the engine needs longer. */
    private static final Duration SHARED_MACHINE = Duration.ofSeconds(15);

    private static final String ENDS_IN_ITS_SECOND_ATTEMPT =
            """
            if attempt > 1:
                raise SystemExit(0)
            time.sleep(600)
            """;

    private static final String AGENT =
            """
            import os, signal, time
            attempt = int(os.environ['VIVARIUM_ATTEMPT'])
            print('attempt', attempt, os.environ.get('TOKEN', 'no secret'), flush=True)
            """;

    private static final String IGNORES_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n";

    private static final String LEAVES_DAEMONS =
            """
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    time.sleep(600)
                os._exit(0)
            """;

    /** Ten runs of every kind, which differ in how they end and how hard they are to kill. */
    private static final Map<String, Agent> AGENTS = new TreeMap<>(Map.of(
            "restart, plain", restarting(""),
            "restart, ignores SIGTERM", restarting(IGNORES_SIGTERM),
            "restart, daemons", restarting(LEAVES_DAEMONS),
            "restart, stubborn daemons", restarting(IGNORES_SIGTERM + LEAVES_DAEMONS),
            "restart, secret", restarting("").secret("TOKEN", "s3cret-for-both-attempts"),
            "restart, one attempt", restarting("").maxAttempts(1),
            "fail, plain", failing(""),
            "fail, ignores SIGTERM", failing(IGNORES_SIGTERM),
            "fail, stubborn daemons", failing(IGNORES_SIGTERM + LEAVES_DAEMONS),
            "fail, secret", failing("").secret("TOKEN", "s3cret-for-one-attempt")));

    /** Those that waited for a run go with the node, too. */
    private static final Leftovers NOTHING = new Leftovers(0, OptionalInt.of(0), 0);

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void afterARestartEverySandboxIsGoneAndEveryRunFollowsItsPolicy() throws Exception {
        // given
        Map<String, String> runs;
        WholeNode first = WholeNode.on(data).go();
        try (LeftoverScan census = first.census()) {
            runs = submitAll(first);
            List<ProcessHandle> children = first.children();
            assertThat(census.count().sandboxes()).isEqualTo(AGENTS.size());

            // when
            first.kill();

            // then
            long killed = System.nanoTime();
            await().atMost(SHARED_MACHINE).pollInterval(Duration.ofMillis(10)).until(() -> census.count()
                    .equals(NOTHING));
            long goneMillis = (System.nanoTime() - killed) / 1_000_000;
            System.out.printf(
                    "kill -9 of the node with %d live runs: no sandbox and no process after %d ms (goal %d ms)%n",
                    runs.size(), goneMillis, ORPHANS_MAX.toMillis());
            await().atMost(SHARED_MACHINE).until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
        } finally {
            first.close();
        }

        try (WholeNode second = WholeNode.on(data).go();
                LeftoverScan census = second.census()) {
            for (String name : runs.keySet()) {
                assertFollowedItsPolicy(second, name, runs.get(name));
            }
            print(second, runs);
            assertThat(census.count().isNothing()).isTrue();
            assertThat(second.stop()).isZero();
        }
        assertThat(data.chains(List.copyOf(runs.values())))
                .allSatisfy((run, verdict) -> assertThat(verdict).isInstanceOf(ChainCheck.Intact.class));
    }

    private static Agent restarting(String body) {
        return Agent.python(AGENT + body + ENDS_IN_ITS_SECOND_ATTEMPT).onNodeLoss("restart");
    }

    private static Agent failing(String body) {
        return Agent.python(AGENT + body + ENDS_IN_ITS_SECOND_ATTEMPT).onNodeLoss("fail");
    }

    private static Map<String, String> submitAll(WholeNode node) throws Exception {
        Map<String, String> runs = new TreeMap<>();
        for (var agent : AGENTS.entrySet()) {
            runs.put(agent.getKey(), node.submit(agent.getValue()).acceptedRun());
        }
        runs.values().forEach(run -> node.awaitPrinted(run, "attempt 1"));
        runs.values().forEach(run -> node.awaitRunning(run, 1));
        return runs;
    }

    private static void assertFollowedItsPolicy(WholeNode node, String name, String id) throws Exception {
        boolean comesBack = name.startsWith("restart") && !name.contains("one attempt");
        List<String> expected =
                new ArrayList<>(List.of("RunSubmitted", "AttemptStarting", "AttemptStarted", "AttemptInterrupted"));
        expected.addAll(comesBack ? List.of("AttemptStarting", "AttemptStarted", "RunSucceeded") : List.of("RunLost"));

        JsonNode run = node.awaitEnd(id);

        assertThat(run.path("status").asText()).as(name).isEqualTo(comesBack ? "SUCCEEDED" : "LOST");
        assertThat(run.path("reason").asText("")).as(name).isEqualTo(comesBack ? "" : "NODE_LOST");
        assertThat(run.path("attempt").asInt()).as(name).isEqualTo(comesBack ? 2 : 1);
        assertThat(node.history(id)).as(name).isEqualTo(expected);
        String secret = name.equals("restart, secret")
                ? "s3cret-for-both-attempts"
                : name.equals("fail, secret") ? "s3cret-for-one-attempt" : "no secret";
        assertThat(node.printed(id))
                .as(name)
                .isEqualTo("attempt 1 " + secret + "\n" + (comesBack ? "attempt 2 " + secret + "\n" : ""));
    }

    private static void print(WholeNode node, Map<String, String> runs) throws Exception {
        System.out.printf("%-26s %-10s %-10s %-8s %s%n", "run", "status", "reason", "attempts", "printed");
        for (var entry : runs.entrySet()) {
            JsonNode run = node.run(entry.getValue());
            System.out.printf(
                    "%-26s %-10s %-10s %-8d %s%n",
                    entry.getKey(),
                    run.path("status").asText(),
                    run.path("reason").asText("-"),
                    run.path("attempt").asInt(),
                    node.printed(entry.getValue()).strip().replace("\n", " | ").replaceAll("s3cret\\S*", "(secret)"));
        }
    }
}
