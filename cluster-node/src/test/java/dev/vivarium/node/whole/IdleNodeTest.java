package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node with the idle driver completes runs without starting anything, and says so. */
@Timeout(180)
class IdleNodeTest {
    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void runsCompleteWithoutAnEngine() throws Exception {
        try (WholeNode node =
                WholeNode.on(data).with("--set", "vivarium.driver.kind=idle").go()) {
            assertThat(node.log()).contains("This node starts nothing");
            assertThat(ListeningPorts.of(List.of(node.pid(), node.store().pid())))
                    .as("a lone node listens for its API only, and not for its cluster or its store")
                    .containsExactly(node.uri().getPort());
            assertThat(node.get("/v1/nodes")
                            .body()
                            .path("nodes")
                            .path(0)
                            .path("address")
                            .asText())
                    .isEqualTo("127.0.0.1:0");

            await("its look at known holes").untilAsserted(() -> assertThat(node.log())
                    .contains("Versions were held against the holes known on 20"));

            String quick = node.submit(Agent.python("print('never printed')")).acceptedRun();
            assertThat(node.awaitEnd(quick).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(node.history(quick))
                    .containsExactly("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");

            String sleeper = node.submit(Agent.command("sleep", "60")).acceptedRun();
            node.awaitRunning(sleeper, 1);
            node.cancel(sleeper);
            assertThat(node.awaitEnd(sleeper).path("status").asText()).isEqualTo("CANCELLED");

            String timed = node.submit(Agent.command("sleep", "60").limit("wallClock", "1s"))
                    .acceptedRun();
            assertThat(node.awaitEnd(timed).path("reason").asText()).isEqualTo("WALL_CLOCK");
            assertThat(node.stop()).isZero();
        }
    }
}
