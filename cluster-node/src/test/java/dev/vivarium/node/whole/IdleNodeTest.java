package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node that starts nothing takes runs to their ends all the same, and says that it runs nothing. */
@Timeout(180)
class IdleNodeTest {
    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void runsGoToTheirEndsWithoutAnEngine() throws Exception {
        try (WholeNode node =
                WholeNode.on(data).with("--set", "vivarium.driver.kind=idle").go()) {
            assertThat(node.log()).contains("This node starts nothing");

            String quick = node.submit(Agent.python("print('never printed')")).acceptedRun();
            assertThat(node.awaitEnd(quick).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(node.history(quick))
                    .containsExactly("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");

            String sleeper = node.submit(Agent.command("sleep", "60")).acceptedRun();
            node.awaitRunning(sleeper, 1);
            node.post("/v1/runs/" + sleeper + "/cancel");
            assertThat(node.awaitEnd(sleeper).path("status").asText()).isEqualTo("CANCELLED");

            String timed = node.submit(Agent.command("sleep", "60").limit("wallClock", "1s"))
                    .acceptedRun();
            assertThat(node.awaitEnd(timed).path("reason").asText()).isEqualTo("WALL_CLOCK");
            assertThat(node.stop()).isZero();
        }
    }
}
