package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenCommandTest {
    private static final String ABOUT =
            """
            {"id": "0123456789abcdef", "name": "ci", "tenant": "research", "role": "submitter",
             "scope": {"labels": {"team": "a"}, "image": "vivarium/python", "limits": {"memory": "512Mi"}},
             "createdBy": "local:operator", "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-04-01T00:00:00Z",
             "revokedAt": null, "lastUsedAt": null}""";
    private static final String MADE = "{\"token\": \"viv_made\", \"about\": " + ABOUT + "}";

    @TempDir
    private Path home;

    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node).home = home;
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void aNewTokenIsAllThatIsPrintedSoThatAScriptCanTakeIt() {
        node.on("POST /v1/tokens", json(201, MADE));

        assertThat(line.run(("token create --role submitter --tenant research --name ci --expires 90d"
                                + " --scope-label team=a --scope-image vivarium/python --scope-limit memory=512Mi")
                        .split(" ")))
                .isZero();

        assertThat(line.printed()).isEqualTo("viv_made\n");
        assertThat(line.noted()).contains("submitter ci of tenant research until 2026-04-01T00:00:00Z");
        assertThat(line.noted()).doesNotContain("viv_made");
        assertThat(node.requests().get(0).body())
                .isEqualTo("{\"role\":\"submitter\",\"form\":\"viv\",\"tenant\":\"research\",\"name\":\"ci\","
                        + "\"expires\":\"90d\",\"scope\":{\"image\":\"vivarium/python\",\"labels\":{\"team\":\"a\"},"
                        + "\"limits\":{\"memory\":\"512Mi\"}}}");
    }

    @Test
    void whatIsNotNamedIsLeftToTheNode() {
        node.on("POST /v1/tokens", json(201, MADE));

        assertThat(line.run("token", "create", "--role", "viewer")).isZero();

        assertThat(node.requests().get(0).body()).isEqualTo("{\"role\":\"viewer\",\"form\":\"viv\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "create --role viewer --scope-limit memry=1Mi, there is no such limit",
        "create --role viewer --scope-limit memory=much, --scope-limit memory",
        "create, --role",
        "revoke, TOKEN",
        "'', a command is missing",
    })
    void wrongUsageIsNamed(String words, String sentence) {
        assertThat(line.run(("token " + words).strip().split(" "))).isEqualTo(ExitCode.USAGE);

        assertThat(line.noted()).contains(sentence);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theListSaysWhatTokensMayAndWhenTheyEnd() {
        String revoked = ABOUT.replace("\"revokedAt\": null", "\"revokedAt\": \"2026-01-01T00:05:00Z\"");
        String expired = ABOUT.replace("2026-04-01T00:00:00Z", "2026-01-01T00:10:00Z");
        node.on("GET /v1/tokens", json(200, "{\"tokens\": [" + ABOUT + "," + revoked + "," + expired + "]}"));

        assertThat(line.run("token", "list", "--tenant", "research")).isZero();

        assertThat(node.requests().get(0).line()).isEqualTo("GET /v1/tokens?tenant=research");
        List<String> rows = line.printed().lines().toList();
        assertThat(rows.get(1))
                .contains("0123456789abcdef", "ci", "research", "submitter")
                .contains("team=a image=vivarium/python memory<=512Mi", "2026-04-01T00:00:00Z", "never");
        assertThat(rows.get(2)).contains("revoked");
        assertThat(rows.get(3)).contains("expired");
    }

    @Test
    void severalTokensAreRevoked() {
        node.on("DELETE /v1/tokens/0123456789abcdef", json(200, ABOUT));
        node.on(
                "DELETE /v1/tokens/00",
                json(404, "{\"title\": \"Not found\", \"detail\": \"There is no such token.\"}"));

        assertThat(line.run("token", "revoke", "0123456789abcdef", "00")).isNotZero();

        assertThat(line.noted()).contains("token 0123456789abcdef is revoked.", "There is no such token");
    }

    @Test
    void aTokenIsReplacedWithAnOverlap() {
        node.on("POST /v1/tokens/0123456789abcdef/rotate", json(201, MADE));

        assertThat(line.run("token", "rotate", "0123456789abcdef", "--overlap", "10m", "--form", "e2b"))
                .isZero();

        assertThat(node.requests().get(0).line())
                .isEqualTo("POST /v1/tokens/0123456789abcdef/rotate?form=e2b&overlap=10m");
        assertThat(line.printed()).isEqualTo("viv_made\n");
    }

    @Test
    void theTokenOfThisMachineIsShownAndPresentedUnlessAnotherOneIsNamed() throws IOException {
        Files.writeString(home.resolve("token"), "viv_local\n");
        node.on("GET /v1/tokens", json(200, "{\"tokens\": []}"));

        assertThat(line.run("token", "show-local")).isZero();
        assertThat(line.printed()).isEqualTo("viv_local\n");
        line.run("token", "list");
        line.environment.put("VIVARIUM_TOKEN", "viv_named");
        line.run("token", "list");

        assertThat(node.requests())
                .extracting(request -> request.headers().get("Authorization"))
                .containsExactly(List.of("Bearer viv_local"), List.of("Bearer viv_named"));
    }

    @Test
    void withoutATokenOfThisMachineItIsSaidWhoMakesOne() {
        assertThat(line.run("token", "show-local")).isEqualTo(ExitCode.NOT_FOUND);

        assertThat(line.noted()).contains("`vivarium up` makes one");
        line.run("token", "list");
        assertThat(node.requests().get(0).headers()).doesNotContainKey("Authorization");
    }
}
