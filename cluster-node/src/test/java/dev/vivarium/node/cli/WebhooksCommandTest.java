package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebhooksCommandTest {
    private static final String ID = "01jd4h5s2m8x7k9q3v6w0t1y2z";
    private static final String DELIVERY =
            """
            {"id": "msg_01jd4h5s2m8x7k9q3v6w0t1y2z_7", "seq": 7, "event": "ended", "url": "https://hooks.example.com/a",
             "state": "GIVEN_UP", "attempts": 9, "queuedAt": "2026-12-02T12:00:00Z", "nextAt": null,
             "triedAt": "2026-12-03T11:00:00Z", "answer": "HTTP 500"}""";
    private static final String OF_TENANT =
            """
            {"tenant": "research", "webhook": {"url": "https://hooks.example.com/a", "events": ["ended"]}, "keys": [
              {"id": "aa", "madeAt": "2026-12-02T12:00:00Z", "endsAt": null},
              {"id": "bb", "madeAt": "2026-11-02T12:00:00Z", "endsAt": "2026-12-03T12:00:00Z"}]}""";

    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void deliveriesAreListedWithWhatCameOfThem() {
        node.on("GET /v1/runs/" + ID + "/webhooks", json(200, "{\"deliveries\": [" + DELIVERY + "]}"));

        assertThat(line.run("webhooks", "list", ID)).isZero();

        assertThat(line.printed().lines().toList().get(1))
                .containsPattern("ended +given up +9 +2026-12-03T11:00:00Z +- +HTTP 500 +https:\\S+ +7");
    }

    @Test
    void aDeliveryIsRepeatedByItsNumber() {
        node.on(
                "POST /v1/runs/" + ID + "/webhooks/7/repeat",
                json(202, DELIVERY.replace("GIVEN_UP", "PENDING").replace("\"attempts\": 9", "\"attempts\": 0")));

        assertThat(line.run("webhooks", "repeat", ID, "7")).isZero();

        assertThat(line.printed()).containsPattern("ended +pending +0 ");
    }

    @Test
    void aSecretIsShownAloneSoThatAScriptCanTakeIt() {
        node.on(
                "POST /v1/tenants/research/webhooks/key",
                json(201, "{\"secret\": \"whsec_abc=\", \"webhooks\": " + OF_TENANT + "}"));

        assertThat(line.run("webhooks", "key", "research", "--overlap", "1h")).isZero();

        assertThat(line.printed()).isEqualTo("whsec_abc=\n");
        assertThat(line.noted()).contains("not shown again");
    }

    @Test
    void aTenantsWebhookIsSetAndRemoved() {
        node.on("PUT /v1/tenants/research/webhooks", json(200, OF_TENANT), json(200, OF_TENANT));

        assertThat(line.run("webhooks", "set", "research", "https://hooks.example.com/a", "--event", "ended"))
                .isZero();
        assertThat(line.printed())
                .contains("tenant research: https://hooks.example.com/a for ended")
                .containsPattern("bb +2026-11-02T12:00:00Z +2026-12-03T12:00:00Z");
        assertThat(line.run("webhooks", "unset", "research")).isZero();

        assertThat(node.requests().get(0).body())
                .isEqualTo("{\"webhook\":{\"url\":\"https://hooks.example.com/a\",\"events\":[\"ended\"]}}");
        assertThat(node.requests().get(1).body()).isEqualTo("{\"webhook\":null}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "webhooks | a command is missing",
                "webhooks list | ID",
                "webhooks repeat 01jd4h5s2m8x7k9q3v6w0t1y2z last | SEQ",
                "webhooks key .. | the name of a tenant must be 1 to 63 lower-case letters",
                "webhooks set research | URL",
                "run --webhook-event ended -- true | --webhook-event: say where to with --webhook URL",
            })
    void wrongUsageIsNamed(String words, String sentence) {
        assertThat(line.run(words.split(" "))).isEqualTo(ExitCode.USAGE);

        assertThat(line.noted()).contains(sentence);
        assertThat(node.requests()).isEmpty();
    }
}
