package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.terminal.ExitCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretCommandTest {
    private static final String SECRET =
            """
            {"name": "git-token", "tenant": "research", "version": 2, "putBy": "token:ci",
             "putAt": "2026-12-02T12:00:00Z", "lastUsedAt": null}""";
    private static final String BODY = "{\"name\":\"git-token\",\"value\":\"hush\"}";

    @TempDir
    private Path folder;

    private final InputStream input = System.in;
    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        node.on("POST /v1/secrets", json(201, SECRET));
        line.against(node).home = folder;
    }

    @AfterEach
    void stop() {
        System.setIn(input);
        node.close();
    }

    @Test
    void aValueComesFromStandardInputWithoutTheLineEndAtItsEnd() {
        System.setIn(new ByteArrayInputStream("hush\n".getBytes(StandardCharsets.UTF_8)));

        assertThat(line.run("secret", "put", "git-token")).isZero();

        assertThat(node.requests().get(0).body()).isEqualTo(BODY);
        assertThat(line.noted()).isEqualTo("vivarium: secret git-token of tenant research has version 2.\n");
        assertThat(line.printed()).isEmpty();
    }

    @Test
    void aValueComesFromAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("token.txt"), "hush\r\n");

        assertThat(line.run("secret", "put", "git-token", "--file", file.toString(), "--tenant", "research"))
                .isZero();

        assertThat(node.requests().get(0).body()).isEqualTo(BODY.replace("}", ",\"tenant\":\"research\"}"));
    }

    @Test
    void onATerminalItIsAskedFor() {
        line.secretPrompt = name -> Optional.of("hush");

        assertThat(line.run("secret", "put", "git-token")).isZero();

        assertThat(node.requests().get(0).body()).isEqualTo(BODY);
    }

    @Test
    void aValueOnTheCommandLineIsRefusedAndNotRepeated() {
        assertThat(line.run("secret", "put", "git-token", "hush")).isEqualTo(ExitCode.USAGE);

        assertThat(line.noted()).contains("standard input").doesNotContain("hush");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theListHasNamesVersionsAndUses() {
        node.on("GET /v1/secrets", json(200, "{\"secrets\": [" + SECRET + "]}"));

        assertThat(line.run("secret", "list", "--tenant", "research")).isZero();

        assertThat(node.requests().get(0).line()).isEqualTo("GET /v1/secrets?tenant=research");
        assertThat(line.printed()).contains("git-token", "research", "2", "token:ci", "never");
    }

    @Test
    void oneThatThereIsNotIsNotRemoved() {
        node.on("DELETE /v1/secrets/git-token", json(200, SECRET));
        node.on("DELETE /v1/secrets/none", json(404, "{\"title\": \"Not found\", \"detail\": \"There is none.\"}"));

        assertThat(line.run("secret", "remove", "git-token", "none")).isEqualTo(ExitCode.NOT_FOUND);

        assertThat(line.noted()).contains("secret git-token is removed.", "There is none");
    }
}
