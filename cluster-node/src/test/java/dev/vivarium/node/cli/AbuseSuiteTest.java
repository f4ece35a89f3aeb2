package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.cli.abuse.Payload;
import dev.vivarium.node.cli.abuse.Payloads;
import dev.vivarium.node.cli.client.ApiJson;
import dev.vivarium.node.cli.client.Patience;
import dev.vivarium.node.cli.text.Table;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** All hostile payloads against a real node in this process, as {@code vivarium abuse} runs them: four at once. */
class AbuseSuiteTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static JsonNode report;

    @BeforeAll
    static void runAll(@TempDir Path home) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        NodeLauncher launcher =
                ServiceLoader.load(NodeLauncher.class).findFirst().orElseThrow();
        Surroundings surroundings = new Surroundings(
                new Terminal(out, out, Terminal.Kind.PIPE, Terminal.Kind.PIPE, 100, Table.Colours.OFF),
                System.getenv(),
                home,
                ROOT,
                listener -> {},
                launcher,
                Patience.DEFAULT,
                name -> Optional.empty(),
                Clock.systemUTC());
        int exitCode = Vivarium.commandLine(surroundings).execute("abuse", "--at-once", "4", "-o", "json");
        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(printed).as("exit code " + exitCode).startsWith("{");
        report = ApiJson.parse(printed.getBytes(StandardCharsets.UTF_8));
    }

    @AfterAll
    static void forgetTheLog() {
        System.clearProperty("vivarium.log.appender");
        System.clearProperty("vivarium.log.file");
        System.clearProperty("vivarium.log.level");
    }

    @TestFactory
    List<DynamicTest> everyPayloadComesToWhatItMust() throws Exception {
        Map<String, JsonNode> lines = new HashMap<>();
        report.path("agents").forEach(line -> lines.put(line.path("agent").asText(), line));
        List<Payload> payloads = Payloads.of(ROOT.resolve("examples/abuse")).all();
        return payloads.stream()
                .map(payload -> DynamicTest.dynamicTest(payload.name(), () -> {
                    JsonNode line = lines.get(payload.name());
                    assertThat(line).as("its line in the report").isNotNull();
                    assertThat(line.path("actual").asText())
                            .as(payload.must() + " It said last: "
                                    + line.path("lastWords").asText())
                            .isEqualTo(payload.agent().expect().words());
                }))
                .toList();
    }

    @Test
    void everyNeighbourFinishedAndItsSlowDownWasMeasured() {
        assertThat(report.path("neighbours").asInt()).isPositive();
        assertThat(report.path("neighboursSucceeded").asBoolean()).isTrue();
        assertThat(report.path("neighbourAloneMillis").asDouble()).isPositive();
        assertThat(report.path("agents"))
                .anySatisfy(line ->
                        assertThat(line.path("neighbourSlowDown").asDouble()).isPositive());
    }

    @Test
    void nothingIsLeftAndTheNodeIsHealthy() {
        assertThat(report.path("sandboxesLeft").asInt(-1)).isZero();
        assertThat(report.path("processesLeft").asInt(-1)).isZero();
        assertThat(report.path("secretLeaks").asInt(-1)).isZero();
        assertThat(report.path("nodeHealthy").asBoolean()).isTrue();
    }
}
