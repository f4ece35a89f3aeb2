package dev.vivarium.client;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.hangUp;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.Problem;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ApiClientTest {
    private static final String SUBMIT = "POST /v1/runs";

    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void anUnansweredSubmissionIsRetriedUnderTheSameKey() throws Exception {
        node.on(SUBMIT, hangUp(), json(503, "{}"), json(202, running()));

        var run = node.client().submit(new Submission("i", List.of("true")).body(), "key-1");

        assertThat(run.path("id").asText()).isEqualTo(ID);
        assertThat(node.requests(SUBMIT)).hasSize(3).allMatch(request -> request.header("Idempotency-key")
                .equals("key-1"));
    }

    @Test
    void aRefusalIsNotRepeatedAndNamesEveryField() {
        node.on(
                SUBMIT,
                json(
                        400,
                        """
                        {"type":"urn:vivarium:bad-request","title":"Bad request","status":400,"detail":"Two fields are bad.",
                         "errors":[{"field":"limits.memory","message":"is zero"},{"field":"image","message":"is missing"}]}"""));

        assertThatThrownBy(() -> node.client().submit(ApiJson.object(), "k"))
                .asInstanceOf(type(ApiException.Refused.class))
                .satisfies(refused -> assertThat(refused.problem().errors())
                        .containsExactly(
                                new Problem.FieldError("limits.memory", "is zero"),
                                new Problem.FieldError("image", "is missing")));
        assertThat(node.requests()).hasSize(1);
    }

    @Test
    void aFullNodeIsRetriedOnlyIfItSaysWhen() {
        node.on(SUBMIT, json(429, "{\"title\":\"Full\",\"detail\":\"The node is full.\"}"));

        assertThatThrownBy(() -> node.client().submit(ApiJson.object(), "k")).isInstanceOf(ApiException.Refused.class);
        assertThat(node.requests()).hasSize(1);
    }

    @Test
    void anUnreachableNodeIsReportedImmediately() {
        URI closed = node.uri();
        node.close();

        assertThatThrownBy(() -> new ApiClient(closed, Credentials.NONE, RetryPolicy.DEFAULT).run(ID))
                .isInstanceOf(ApiException.NodeUnreachable.class)
                .hasMessageContaining("No node answers at " + closed)
                .hasMessageContaining("vivarium up");
    }

    @Test
    void anAnswerFromAnotherServerIsNoNodes() {
        node.on("GET /v1/runs/" + ID, answer(200, "text/html", "<html>"));

        assertThatThrownBy(() -> node.client().run(ID)).isInstanceOf(ApiException.Garbled.class);
    }

    @Test
    void aSubmissionWithoutAKeyIsNeverRetriedSinceItWouldBeAnotherRun() {
        node.on(SUBMIT, hangUp(), json(202, running()));

        assertThatThrownBy(() -> node.client().submit(new Submission("i", List.of("true")).body()))
                .isInstanceOf(ApiException.NodeUnreachable.class);
        assertThat(node.requests(SUBMIT)).hasSize(1);
    }

    @Test
    void anUnansweredRenewalIsSentAgainSinceItIsTheSame() throws Exception {
        String deadline = "POST /v1/runs/" + ID + "/deadline";
        node.on(deadline, hangUp(), json(200, running()));

        node.client().renew(ID, "30m");

        assertThat(node.requests(deadline)).hasSize(2).allMatch(request -> request.body()
                .equals("{\"wallClock\":\"30m\"}"));
    }

    @Test
    void aNodeIsReadyAliveOrSilent() throws Exception {
        node.on("GET /health/ready", json(200, "{\"status\":\"UP\"}"), json(503, "{}"), hangUp());
        ApiClient client = node.client();

        assertThat(client.health()).isEqualTo(ApiClient.Health.READY);
        assertThat(client.health()).isEqualTo(ApiClient.Health.ALIVE);
        assertThat(client.health()).isEqualTo(ApiClient.Health.SILENT);
    }

    @Test
    void outputIsReadUnchanged() throws Exception {
        node.on("GET /v1/runs/" + ID + "/output", answer(200, "application/octet-stream", "one\ntwo"));

        try (var output = node.client().output(ID, OutputChunkView.Stream.STDOUT, OutputFollower.Mode.SO_FAR)) {
            assertThat(new String(output.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("one\ntwo");
        }
        assertThat(node.requests().get(0).line()).contains("stream=stdout").contains("follow=false");
    }
}
