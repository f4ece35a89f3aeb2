package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Leftover sandboxes are swept with both other guards disabled: another process holds the channel open, so that the
 * dead-man's switch does not fire, and the guest's clock runs for minutes.
 */
@Timeout(300)
class ReaperAloneTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** The dead-man's switch fires within a tenth of a second. */
    private static final Duration WOULD_BE_GONE = Duration.ofSeconds(3);

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void aSandboxThatOutlivedItsNodeIsGoneWhenTheNodeIsBack() throws Exception {
        String sandbox;
        Process holder;
        String run;
        try (WholeNode node = WholeNode.on(data).go()) {
            // given
            run = node.submit(Agent.sleeper().onNodeLoss("fail")).acceptedRun();
            node.awaitPrinted(run, "attempt 1");
            sandbox = containers();
            holder = holdChannel(sandbox);

            // when
            node.kill();
        }
        try {
            // then: nothing else ends it
            await().during(WOULD_BE_GONE).atMost(PATIENCE).until(() -> containers()
                    .equals(sandbox));
            assertThat(Commands.run("docker", "top", sandbox)).contains("python3");

            try (WholeNode node = WholeNode.on(data).go()) {
                // then: the first sweep is over before the node is ready
                assertThat(containers()).isEmpty();
                assertThat(node.awaitEnd(run).path("reason").asText()).isEqualTo("NODE_LOST");
            }
        } finally {
            holder.destroyForcibly();
        }
    }

    /** The ids of this installation's running containers. */
    private String containers() throws IOException, InterruptedException {
        return Commands.run(
                        "docker",
                        "ps",
                        "--quiet",
                        "--no-trunc",
                        "--filter",
                        "label=dev.vivarium.installation=" + data.installation())
                .strip();
    }

    /** Keeps a writer open on the pipe that is the guest's end of the channel; returns once it is open. */
    private static Process holdChannel(String container) throws IOException, InterruptedException {
        String guest = Commands.run("docker", "inspect", "--format", "{{.State.Pid}}", container)
                .strip();
        Process holder = new ProcessBuilder("sh", "-c", "exec 3>/proc/" + guest + "/fd/0; echo held; exec sleep 600")
                .redirectErrorStream(true)
                .start();
        BufferedReader said =
                new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8));
        assertThat(said.readLine()).isEqualTo("held");
        return holder;
    }
}
