package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Patience;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.cli.abuse.Payload;
import dev.vivarium.node.cli.abuse.Payloads;
import dev.vivarium.node.cli.text.Table;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.protocol.run.Isolation;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;

/** All hostile payloads against a real node in this process, as {@code vivarium abuse} runs them: four at once. */
@EachIsolation
class AbuseSuiteTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    @TempDir
    private static Path home;

    private static JsonNode report;

    private final Isolation isolation;

    AbuseSuiteTest(Isolation isolation) {
        this.isolation = isolation;
    }

    @BeforeParameterizedClassInvocation
    static void runAll(Isolation isolation) throws Exception {
        EachIsolation.Here.assume(isolation, offered());
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
        int exitCode = Vivarium.commandLine(surroundings)
                .execute(
                        "abuse",
                        "--isolation",
                        isolation.name().toLowerCase(Locale.ROOT),
                        "--at-once",
                        "4",
                        "-o",
                        "json");
        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(printed).as("exit code " + exitCode).startsWith("{");
        report = ApiJson.parse(printed.getBytes(StandardCharsets.UTF_8));
    }

    private static Set<Isolation> offered() {
        try (DockerDriver driver = DockerDriver.open(
                DockerDriverConfig.from(ConfigFactory.parseResources("docker-driver.conf"), "abuse-suite", "nobody"),
                Runnable::run,
                NodeClock.system())) {
            return driver.capabilities().isolations();
        }
    }

    @AfterParameterizedClassInvocation
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
                            .isIn((Object[]) payload.in(isolation)
                                    .agent()
                                    .expect()
                                    .words()
                                    .split(" or ", -1));
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
