package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.trials.outside.OciRecords;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Leftover sandboxes are swept with all other guards disabled: a frozen guest neither sees that its channel has ended, so that
 * the dead-man's switch does not fire, nor reads its clock; and a frozen launcher does not see that its node has.
 */
@Timeout(300)
class ReaperAloneTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** The dead-man's switch fires within a tenth of a second. */
    private static final Duration WOULD_BE_GONE = Duration.ofSeconds(3);

    /** Those that waited would be left behind, too. */
    private static final String[] NONE_WAIT = {"--set", "vivarium.pool.ceiling=0"};

    private final OciRecords records = new OciRecords();

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void aSandboxThatOutlivedItsNodeIsGoneWhenTheNodeIsBack() throws Exception {
        List<Long> sandbox;
        ProcessHandle launcher;
        String mark;
        String run;
        try (WholeNode node = WholeNode.on(data).with(NONE_WAIT).go()) {
            // given
            mark = OciRecords.mark(data.installation());
            run = node.submit(Agent.sleeper().onNodeLoss("fail")).acceptedRun();
            node.awaitPrinted(run, "attempt 1");
            sandbox = records.processes(mark);
            assertThat(sandbox).hasSizeGreaterThan(1);
            freeze(sandbox);
            launcher = node.launcher();
            freeze(List.of(launcher.pid()));

            // when
            node.kill();
        }
        try {
            // then: nothing else ends it
            await().during(WOULD_BE_GONE).atMost(PATIENCE).until(() -> records.processes(mark)
                    .equals(sandbox));
            assertNextNodeSweeps(mark, run);
        } finally {
            launcher.destroyForcibly();
        }
    }

    private void assertNextNodeSweeps(String mark, String run) throws Exception {
        try (WholeNode node = WholeNode.on(data).go()) {
            // then: the first sweep is over before the node is ready
            assertThat(records.processes(mark)).isEmpty();
            assertThat(records.sandboxes(mark)).isEmpty();
            assertThat(node.awaitEnd(run).path("reason").asText()).isEqualTo("NODE_LOST");
        }
    }

    /** Stops processes, which can only be killed then. */
    private static void freeze(List<Long> processes) throws IOException, InterruptedException {
        for (Long process : processes) {
            Commands.run("kill", "-s", "STOP", process.toString());
        }
    }
}
