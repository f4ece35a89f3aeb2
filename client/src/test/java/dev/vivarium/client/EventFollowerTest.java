package dev.vivarium.client;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.SampleRuns.sent;
import static dev.vivarium.client.SampleRuns.succeeded;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.cutOff;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventFollowerTest {
    private static final String RUN = "GET /v1/runs/" + ID;
    private static final String EVENTS = RUN + "/events";
    private static final String SSE = "text/event-stream";

    @Test
    void everyEventIsDeliveredOnceAcrossALostConnection() throws Exception {
        try (ScriptedNode node = new ScriptedNode()) {
            node.on(RUN, json(200, running()), json(200, succeeded()))
                    .on(
                            EVENTS,
                            cutOff(": hello\n\n" + sent(1, "RunSubmitted")
                                    + sent(2, "AttemptStarting").substring(0, 30)),
                            answer(
                                    200,
                                    SSE,
                                    sent(1, "RunSubmitted") + sent(2, "AttemptStarting") + sent(3, "RunSucceeded")));
            List<String> types = new ArrayList<>();

            new EventFollower(
                            node.client(),
                            ID,
                            event -> types.add(event.path("type").asText()))
                    .follow();

            assertThat(types).containsExactly("RunSubmitted", "AttemptStarting", "RunSucceeded");
            assertThat(node.requests(EVENTS).get(0).header("Accept")).isEqualTo(SSE);
            assertThat(node.requests(EVENTS).get(1).header("Last-event-id")).isEqualTo("1");
        }
    }
}
