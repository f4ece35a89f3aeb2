package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.trials.outside.LeftoverScan;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node that is stopped by SIGTERM or Ctrl-C accepts nothing new, lets runs end, and leaves nothing behind. */
@Timeout(300)
class LeavingNodeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void afterSigtermRunsEndWithinTheDrainOrContinueAtTheNextStart() throws Exception {
        String ending;
        String restarting;
        String failing;
        try (WholeNode node = WholeNode.on(data).with("--drain", "6s").go();
                LeftoverScan census = node.census()) {
            // given
            List<ProcessHandle> children = node.children();
            ending = node.submit(Agent.python("import time; print('up', flush=True); time.sleep(3)"))
                    .acceptedRun();
            restarting = node.submit(Agent.sleeper().onNodeLoss("restart")).acceptedRun();
            failing = node.submit(Agent.sleeper().onNodeLoss("fail")).acceptedRun();
            node.awaitRunning(ending, 1);
            node.awaitPrinted(restarting, "attempt 1");
            node.awaitPrinted(failing, "attempt 1");

            // when
            node.signal("TERM");

            // then
            await().atMost(PATIENCE)
                    .until(() -> node.submit(Agent.python("pass")).status() == 503);
            node.submit(Agent.python("pass")).assertProblem(503, "draining");
            assertThat(node.get("/health/alive").status()).isEqualTo(200);
            node.get("/health/ready").assertProblem(503, "not-ready");
            assertThat(node.awaitEnd(ending).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(node.awaitExit(PATIENCE)).as(node::log).isZero();
            assertNothingIsLeft(node, census, children);
        }

        try (WholeNode next = WholeNode.on(data).go()) {
            assertThat(next.awaitEnd(failing).path("reason").asText()).isEqualTo("DRAINED");
            assertThat(next.awaitRunning(restarting, 2).path("status").asText()).isEqualTo("RUNNING");
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(next.acts("NodeJoined", "NodeDrained"))
                    .containsExactly("NodeJoined", "NodeDrained", "NodeJoined"));
            assertThat(next.history(restarting))
                    .containsExactly(
                            "RunSubmitted",
                            "AttemptStarting",
                            "AttemptStarted",
                            "AttemptInterrupted",
                            "AttemptStarting",
                            "AttemptStarted");
        }
    }

    @Test
    void aSecondInterruptHastensTheEnd() throws Exception {
        try (WholeNode node = WholeNode.on(data).with("--drain", "5m").go();
                LeftoverScan census = node.census()) {
            // given
            List<ProcessHandle> children = node.children();
            String run = node.submit(Agent.sleeper()).acceptedRun();
            node.awaitPrinted(run, "attempt 1");

            // when
            node.signal("INT");
            await().atMost(PATIENCE).until(() -> node.log().contains("draining"));
            node.signal("INT");

            // then
            assertThat(node.awaitExit(PATIENCE)).as(node::log).isZero();
            assertNothingIsLeft(node, census, children);
        }
    }

    private static void assertNothingIsLeft(WholeNode node, LeftoverScan census, List<ProcessHandle> children)
            throws IOException {
        assertThat(census.count().isNothing()).as(census.count().words()).isTrue();
        assertThat(children).noneMatch(ProcessHandle::isAlive);
        assertThat(node.temporaryFiles()).isEmpty();
    }
}
