package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FailoverTest {
    private static final Instant KILLED = Scene.at(5);

    @Test
    void phasesOfAFailoverAreReadFromTheEventsAfterTheKill() throws IOException {
        Failover.Move move = Failover.move(
                journal(
                        RunStatus.RUNNING,
                        new RunEvent.AttemptInterrupted(
                                Scene.at(13), Scene.node(2), 1, Interruption.NODE_LOST, "gone", Optional.empty()),
                        new RunEvent.AttemptStarting(Scene.at(13.5), Scene.node(2), 2),
                        new RunEvent.AttemptStarted(Scene.at(14.2), Scene.node(2), 2, "c2", Optional.empty())),
                Scene.node(1),
                KILLED);

        assertThat(move)
                .isEqualTo(
                        new Failover.Move(Duration.ofSeconds(8), Duration.ofMillis(8_500), Duration.ofMillis(9_200)));
    }

    @Test
    void anAttemptThatNeverRanCountsTowardsTheNextOne() throws IOException {
        Failover.Move move = Failover.move(
                journal(
                        RunStatus.RUNNING,
                        new RunEvent.AttemptInterrupted(
                                Scene.at(13), Scene.node(2), 1, Interruption.NODE_LOST, "gone", Optional.empty()),
                        new RunEvent.AttemptStarting(Scene.at(13.5), Scene.node(2), 2),
                        new RunEvent.AttemptInterrupted(
                                Scene.at(14), Scene.node(2), 2, Interruption.ENGINE_LOST, "away", Optional.empty()),
                        new RunEvent.AttemptStarting(Scene.at(15), Scene.node(2), 3),
                        new RunEvent.AttemptStarted(Scene.at(16), Scene.node(2), 3, "c3", Optional.empty())),
                Scene.node(1),
                KILLED);

        assertThat(move)
                .isEqualTo(new Failover.Move(Duration.ofSeconds(8), Duration.ofSeconds(10), Duration.ofSeconds(11)));
    }

    @Test
    void aRunWithoutANextAttemptIsAnError() {
        Journal lost = journal(
                RunStatus.LOST,
                new RunEvent.RunLost(Scene.at(13), Scene.node(2), 1, Interruption.NODE_LOST, "no attempts left"));

        assertThatIOException()
                .isThrownBy(() -> Failover.move(lost, Scene.node(1), KILLED))
                .withMessageContaining(Scene.RUN)
                .withMessageContaining("LOST");
    }

    /** The journal of a run whose first attempt ran on node 1 before the kill. */
    private static Journal journal(RunStatus shown, RunEvent... after) {
        List<RunEvent> events = new java.util.ArrayList<>(List.of(
                Scene.submitted(NodeLossPolicy.RESTART, 3),
                new RunEvent.AttemptStarting(Scene.at(0.5), Scene.node(1), 1),
                new RunEvent.AttemptStarted(Scene.at(1.2), Scene.node(1), 1, "c1", Optional.empty())));
        events.addAll(List.of(after));
        return Scene.journal(Scene.RUN, events, shown, Optional.empty(), "");
    }
}
