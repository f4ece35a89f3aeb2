package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.trials.outside.LeftoverScan;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A frozen node, as on a paused machine, does not let a run outlive its wall clock limit. Of the three guards only the
 * guest's clock acts here: the channel stays open, and the reaper is frozen with the only node.
 */
@Timeout(300)
class FrozenNodeTest {
    private static final Duration WALL_CLOCK = Duration.ofSeconds(3);
    /** The guest's clock runs out this much later than the node's (vivarium.sandbox.second-clock-grace). */
    private static final Duration GRACE = Duration.ofSeconds(2);

    private static final Duration MACHINE = Duration.ofSeconds(5);

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void theGuestsClockEndsTheRunAndTheNodeRecordsItWhenItResumes() throws Exception {
        try (WholeNode node = WholeNode.on(data).go();
                LeftoverScan census = node.census()) {
            // given
            String run = node.submit(Agent.sleeper().limit("wallClock", WALL_CLOCK.toSeconds() + "s"))
                    .acceptedRun();
            node.awaitPrinted(run, "attempt 1");

            // when
            node.signal("STOP");

            // then
            long frozen = System.nanoTime();
            await().atMost(WALL_CLOCK.plus(GRACE).plus(MACHINE))
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> census.count().processes().orElseThrow() == 0);
            System.out.printf(
                    "node frozen: the agent with a wall clock of %s was gone %d ms after%n",
                    WALL_CLOCK, (System.nanoTime() - frozen) / 1_000_000);

            // when
            node.signal("CONT");

            // then
            JsonNode end = node.awaitEnd(run);
            assertThat(end.path("status").asText()).as("%s", end).isEqualTo("KILLED");
            assertThat(end.path("reason").asText()).isEqualTo("WALL_CLOCK");
            assertThat(end.path("attempt").asInt()).isEqualTo(1);
            assertThat(node.history(run)).filteredOn(History::isEnd).hasSize(1);
            assertThat(census.count().isNothing()).isTrue();
        }
    }
}
