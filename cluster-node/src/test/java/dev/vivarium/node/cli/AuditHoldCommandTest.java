package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AuditHoldCommandTest {
    private static final String HOLD =
            """
            {"tenant": "research", "reason": "case 4711", "putBy": "token:ops", "putAt": "2026-12-02T12:00:00Z"}""";
    private static final String NO_HOLD =
            """
            {"type": "https://vivarium.dev/problems/no-such-hold", "title": "There is no such hold", "status": 404,
             "detail": "No hold was put for tenant research."}""";

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
    void aHoldIsPutWithItsReason() {
        node.on("PUT /v1/audit/holds/research", json(200, HOLD));

        assertThat(line.run("audit", "hold", "put", "research", "--reason", "case 4711"))
                .isZero();

        assertThat(node.requests().get(0).body()).isEqualTo("{\"reason\":\"case 4711\"}");
        assertThat(line.noted()).contains("tenant research is held");
    }

    @Test
    void aReasonMayBeLeftOut() {
        node.on("PUT /v1/audit/holds/research", json(200, HOLD));

        assertThat(line.run("audit", "hold", "put", "research")).isZero();

        assertThat(node.requests().get(0).body()).isEqualTo("{}");
    }

    @Test
    void theListHasWhoPutEachHoldWhenAndWhy() {
        node.on(
                "GET /v1/audit/holds",
                json(200, "{\"holds\": [" + HOLD + ", " + HOLD.replace("\"case 4711\"", "null") + "]}"));

        assertThat(line.run("audit", "hold", "list")).isZero();

        assertThat(line.printed().lines())
                .hasSize(3)
                .anyMatch(row -> row.matches("research +token:ops +2026-12-02T12:00:00Z +case 4711"));
    }

    @Test
    void aHoldIsRemovedOnce() {
        node.on("DELETE /v1/audit/holds/research", json(200, HOLD), json(404, NO_HOLD));

        assertThat(line.run("audit", "hold", "remove", "research")).isZero();
        assertThat(line.noted()).contains("tenant research is held no more");
        assertThat(line.run("audit", "hold", "remove", "research")).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(line.noted()).contains("No hold was put");
    }

    @Test
    void aCommandIsNeeded() {
        assertThat(line.run("audit", "hold")).isEqualTo(ExitCode.USAGE);
        assertThat(line.run("audit", "hold", "--help")).isZero();
        assertThat(line.printed()).contains("Usage: vivarium audit hold").contains("Exit codes");
    }
}
