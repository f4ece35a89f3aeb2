package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TenantCommandTest {
    private static final String USAGE =
            """
            {"tenant": "research", "setBy": "token:ops", "setAt": "2026-01-01T00:00:00Z", "quotas": [
              {"quota": "runs", "unit": "COUNT", "limit": 10, "used": 3, "from": "SET"},
              {"quota": "waiting", "unit": "COUNT", "limit": null, "used": 0, "from": "DEFAULT"},
              {"quota": "memory", "unit": "BYTES", "limit": 8589934592, "used": 201326592, "from": "CONFIGURED"},
              {"quota": "readsPerSecond", "unit": "PER_SECOND", "limit": null, "used": null, "from": "DEFAULT"}]}""";

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
    void quotasAreSetAsTheyAreWritten() {
        node.on("PATCH /v1/tenants/research/quotas", json(200, USAGE));

        assertThat(line.run("tenant", "set", "research", "runs=10", "memory=8Gi", "disk=default", "cpu=unlimited"))
                .isZero();

        assertThat(node.requests().get(0).body())
                .isEqualTo("{\"runs\":\"10\",\"memory\":\"8Gi\",\"disk\":\"default\",\"cpu\":\"unlimited\"}");
        List<String> rows = line.printed().lines().toList();
        assertThat(rows.get(1)).containsPattern("runs +10 +3 +set");
        assertThat(rows.get(3)).containsPattern("memory +8Gi +192Mi +configured");
        assertThat(rows.get(4)).containsPattern("readsPerSecond +unlimited +- +default");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "set research runs=much | runs must be a whole number",
                "set research runs=-1 | runs must be a whole number",
                "set research memory=8Gigs | memory must be a size",
                "set research run=1 | there is no quota run; there are runs, waiting, memory",
                "set research runs | runs",
                "set research | QUOTA=AMOUNT",
                "set | TENANT",
                "set .. runs=1 | the name of a tenant must be 1 to 63 lower-case letters",
                "show Research | the name of a tenant must be 1 to 63 lower-case letters",
                "show | TENANT",
                "'' | a command is missing",
            })
    void wrongUsageIsNamed(String words, String sentence) {
        assertThat(line.run(("tenant " + words).strip().split(" "))).isEqualTo(ExitCode.USAGE);

        assertThat(line.noted()).contains(sentence);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theNodesSentenceAboutATenantIsShown() {
        node.on(
                "GET /v1/tenants/research/usage",
                json(
                        400,
                        "{\"title\": \"The path names no tenant\", \"detail\": \"The name of a tenant must be plain.\"}"));

        assertThat(line.run("tenant", "show", "research")).isNotZero();

        assertThat(line.noted()).contains("The name of a tenant must be plain.");
    }

    @Test
    void tenantsAreListedWithTheirQuotas() {
        node.on("GET /v1/tenants", json(200, "{\"tenants\": [" + USAGE + "]}"));

        assertThat(line.run("tenant", "list")).isZero();

        assertThat(line.printed()).containsPattern("research +3 +0 +runs=10 memory=8Gi +token:ops");
    }
}
