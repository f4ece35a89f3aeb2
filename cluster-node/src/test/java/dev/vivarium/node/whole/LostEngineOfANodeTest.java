package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.trials.outside.LeftoverScan;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An engine that fails while runs are live and comes back: nothing hangs, and the node needs no restart. */
@Timeout(300)
class LostEngineOfANodeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Agent QUICK = Agent.python("print('done')");
    private static final Agent ENDS_IN_ITS_SECOND_ATTEMPT = Agent.python(
            """
            import os, time
            print('attempt', os.environ['VIVARIUM_ATTEMPT'], flush=True)
            time.sleep(600 if os.environ['VIVARIUM_ATTEMPT'] == '1' else 0)
            """);

    private static PrivateEngine engine;

    @RegisterExtension
    static final DataDirectory DATA = new DataDirectory();

    private static WholeNode node;
    private static LeftoverScan census;

    @BeforeAll
    static void start() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        engine = PrivateEngine.start();
        node = WholeNode.on(DATA).engine(engine.address()).go();
        census = node.census();
    }

    @AfterAll
    static void stop() throws Exception {
        if (engine != null) {
            if (node != null) {
                node.close();
            }
            engine.close();
        }
    }

    @Test
    void afterTheEngineIsKilledAndRestartedRunsFollowTheirPolicy() throws Exception {
        failAndRestart(() -> engine.kill());
    }

    @Test
    @Tag("long")
    void afterTheEngineIsStoppedAndRestartedRunsFollowTheirPolicy() throws Exception {
        failAndRestart(() -> engine.stop());
    }

    private interface Harm {
        void happen() throws Exception;
    }

    private static void failAndRestart(Harm harm) throws Exception {
        // given
        String restarting = node.submit(ENDS_IN_ITS_SECOND_ATTEMPT).acceptedRun();
        String failing =
                node.submit(ENDS_IN_ITS_SECOND_ATTEMPT.onNodeLoss("fail")).acceptedRun();
        node.awaitPrinted(restarting, "attempt 1");
        node.awaitPrinted(failing, "attempt 1");

        // when
        harm.happen();

        // then
        await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 503);
        Answer ready = node.get("/health/ready");
        ready.assertProblem(503, "not-ready");
        assertThat(ready.body().path("errors").findValuesAsText("field")).containsExactly("engine");
        String meanwhile = node.submit(QUICK).acceptedRun();
        assertThat(node.status(meanwhile)).isIn("SUBMITTED", "STARTING");
        String unwanted = node.submit(QUICK).acceptedRun();
        node.cancel(unwanted);
        assertThat(node.awaitEnd(unwanted).path("status").asText()).isEqualTo("CANCELLED");

        // when
        engine.comeBack();
        long back = System.nanoTime();

        // then
        await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 200);
        JsonNode lost = node.awaitEnd(failing);
        assertThat(lost.path("status").asText()).isEqualTo("LOST");
        assertThat(node.history(failing))
                .containsExactly("RunSubmitted", "AttemptStarting", "AttemptStarted", "AttemptInterrupted", "RunLost");
        assertThat(node.awaitEnd(restarting).path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(node.printed(restarting)).isEqualTo("attempt 1\nattempt 2\n");
        System.out.printf(
                "engine back: interrupted run succeeded in attempt 2 after %d ms%n",
                (System.nanoTime() - back) / 1_000_000);
        assertThat(node.awaitEnd(meanwhile).path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(node.awaitEnd(node.submit(QUICK).acceptedRun())
                        .path("status")
                        .asText())
                .isEqualTo("SUCCEEDED");
        await().atMost(PATIENCE).until(() -> census.count().isNothing());
    }
}
