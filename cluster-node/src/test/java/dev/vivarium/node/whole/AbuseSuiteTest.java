package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.trials.Surroundings;
import dev.vivarium.trials.Trials;
import dev.vivarium.trials.abuse.Payload;
import dev.vivarium.trials.abuse.Payloads;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;

/** The hostile payloads against a node in a separate process, as {@code vivarium abuse} runs them: four at a time. */
@EachIsolation
class AbuseSuiteTest {
    private static final int OTHERS_OF_GVISOR = 16;
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
        Surroundings surroundings = new Surroundings(
                new Terminal(out, out, Terminal.Kind.PIPE, Terminal.Kind.PIPE, 100, Table.Colours.OFF),
                System.getenv(),
                home,
                ROOT,
                listener -> {},
                (state, config) -> Surroundings.startNode(program(), home, state, config),
                RetryPolicy.DEFAULT,
                Clock.systemUTC());
        List<String> words = new ArrayList<>(List.of(
                "abuse", "--isolation", isolation.name().toLowerCase(Locale.ROOT), "--at-once", "4", "-o", "json"));
        payloads(isolation).forEach(payload -> words.add(payload.name()));
        int exitCode = Trials.commandLine(surroundings).execute(words.toArray(String[]::new));
        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(printed).as("exit code " + exitCode).startsWith("{");
        report = ApiJson.parse(printed.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * In class gvisor those whose end differs there, and a few of the others: all of them take a quarter of an hour on two
     * processors, since each start, fork and system call does. {@code ./vivarium abuse --isolation gvisor} runs them all.
     */
    private static List<Payload> payloads(Isolation isolation) throws IOException {
        List<Payload> all = Payloads.of(ROOT.resolve("examples/abuse")).all();
        return isolation == Isolation.CONTAINER
                ? all
                : IntStream.range(0, all.size())
                        .filter(index -> index % OTHERS_OF_GVISOR == 0
                                || all.get(index).expectInGvisor().isPresent())
                        .mapToObj(all::get)
                        .toList();
    }

    private static Set<Isolation> offered() {
        try (DockerDriver driver = DockerDriver.open(
                DockerDriverConfig.from(ConfigFactory.parseResources("docker-driver.conf"), "abuse-suite", "nobody"),
                Runnable::run,
                NodeClock.system())) {
            return driver.capabilities().isolations();
        }
    }

    /** The command of the node from this build, as it is shipped. */
    private static List<String> program() {
        return List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-Dlogback.configurationFile=logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.vivarium.node.cli.Vivarium");
    }

    @TestFactory
    List<DynamicTest> everyPayloadHasItsExpectedResult() throws Exception {
        Map<String, JsonNode> lines = new HashMap<>();
        report.path("agents").forEach(line -> lines.put(line.path("agent").asText(), line));
        return payloads(isolation).stream()
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
                    assertThat(line.path("objection").asText())
                            .as("what is wrong beside its end")
                            .isEmpty();
                }))
                .toList();
    }

    @Test
    void everyNeighbourFinishesAndItsSlowDownIsMeasured() {
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
