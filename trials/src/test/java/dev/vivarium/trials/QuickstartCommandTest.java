package dev.vivarium.trials;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.chunk;
import static dev.vivarium.client.SampleRuns.failed;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.SampleRuns.succeeded;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.trials.outside.Node;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickstartCommandTest {
    private static final String RUN = "GET /v1/runs/" + ID;

    private final CommandLineFixture line = new CommandLineFixture();
    private final AtomicInteger closed = new AtomicInteger();

    @TempDir
    private Path folder;

    private ScriptedNode node;
    private FakeEngine engine;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        engine = new FakeEngine(folder);
        line.environment.put("DOCKER_HOST", engine.host());
        line.home = folder.resolve("home");
        line.root = folder;
        line.nodes = (state, config) -> new ScriptedRunningNode();
        Path examples = Files.createDirectories(folder.resolve("examples"));
        Files.writeString(examples.resolve("a.py"), "print('hello')");
        Files.writeString(
                examples.resolve("catalogue.json"),
                """
                {"image":"i","agents":[{"name":"alpha","about":"x","command":["python3","a.py"],"files":["a.py"],"tenant":"t",
                  "secrets":["KEY"],"egress":{"mode":"none"},"limits":{"memory":"64Mi","pids":8},"expect":{"status":"SUCCEEDED"}}]}""");
    }

    @AfterEach
    void stop() throws IOException {
        node.close();
        engine.close();
    }

    private void scriptRunThatEndsAs(String end) {
        node.on("POST /v1/runs", json(202, running()))
                .on(RUN, json(200, running()), json(200, running()), json(200, end))
                .on(RUN + "/events", json(200, "{\"events\":[]}"))
                .on(RUN + "/output", answer(200, "application/x-ndjson", chunk("stdout", 0, "hello\n")));
    }

    @Test
    void succeedsWhenAllResultsAreAsExpectedAndNothingIsLeft() {
        scriptRunThatEndsAs(succeeded());

        assertThat(line.run("quickstart")).isZero();

        assertThat(line.printed())
                .contains("ok  alpha  SUCCEEDED  SUCCEEDED")
                .contains("5.003 s")
                .contains("12.3 MiB")
                .contains("sandboxes left: 0, processes left: 0")
                .contains("all as expected")
                .contains("Next: ./vivarium up");
        assertThat(closed).hasValue(1);
        assertThat(engine.requests().get(1)).contains("/containers/json").contains("dev.vivarium.installation%3Dtest");
    }

    @Test
    void anUnexpectedResultIsReported() {
        scriptRunThatEndsAs(failed(3));

        assertThat(line.run("quickstart")).isEqualTo(1);

        assertThat(line.printed())
                .contains("NOT SO  alpha  SUCCEEDED  FAILED exit 3")
                .contains("NOT ALL AS EXPECTED");
    }

    @Test
    void aSecretInAnAnswerIsReported() {
        node.on(
                RUN + "/events",
                exchange -> json(200, node.requests("POST").get(0).body()).give(exchange));
        scriptRunThatEndsAs(succeeded());

        assertThat(line.run("quickstart")).isEqualTo(1);

        assertThat(line.printed()).contains("THE SECRET WAS FOUND in 1 answers");
    }

    @Test
    void jsonOutputContainsOnlyJson() {
        scriptRunThatEndsAs(succeeded());

        assertThat(line.run("quickstart", "-o", "json")).isZero();

        assertThat(line.printed())
                .startsWith("{")
                .contains("\"asExpected\" : true")
                .contains("\"sandboxesLeft\" : 0")
                .contains("\"memoryPeakBytes\" : 12897485");
    }

    private final class ScriptedRunningNode implements Node {
        @Override
        public URI uri() {
            return node.uri();
        }

        @Override
        public String installation() {
            return "test";
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }
}
