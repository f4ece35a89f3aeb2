package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TimelineTest {
    @Test
    void observationsOfARunAreMergedInOrderOfTime() {
        assertThat(Timeline.of(Scene.failover().trial(), Scene.RUN).lines())
                .containsSubsequence(
                        "run " + Scene.RUN + ", submitted under s1-c1-1, is SUCCEEDED",
                        "  12:00:00.100  journal  1 RunSubmitted by node-2",
                        "  12:00:00.200  client   SUBMIT s1-c1-1 to node 2: 202, run " + Scene.RUN
                                + " (asked 12:00:00.100)",
                        "  12:00:01.000  outside  started c1 of attempt 1 on node-1",
                        "  12:00:01.700  agent    sign of life 1 of attempt 1",
                        "  12:00:05.000  cluster  kill node 1",
                        "  12:00:05.200  outside  ended c1 of attempt 1 on node-1",
                        "  12:00:09.000  journal  4 AttemptInterrupted of attempt 1, NODE_LOST: gone by node-2",
                        "  12:00:13.000  journal  7 RunSucceeded in attempt 2 by node-2");
    }

    @Test
    void aLostRunHasTheAnswersToItsClients() {
        Scene scene = Scene.failover();
        scene.exchanges.add(Scene.submit("s1-c1-2", 1, 3, new Exchange.Accepted(Scene.OTHER_RUN)));

        assertThat(Timeline.of(scene.trial(), Scene.OTHER_RUN))
                .contains("not in the journal")
                .contains("SUBMIT s1-c1-2");
    }
}
