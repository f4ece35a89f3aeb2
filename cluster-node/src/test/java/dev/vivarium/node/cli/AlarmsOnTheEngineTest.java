package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.assembly.LocalNodeLauncher;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.Usage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real engine, through a whole node: what an agent used and came near to, as whoever owns the run sees it. */
@Timeout(180)
class AlarmsOnTheEngineTest {
    private static RunningNode node;
    private static ApiClient client;

    private final CommandLineFixture line = new CommandLineFixture();

    @BeforeAll
    static void startNode() throws Exception {
        Path data = Files.createTempDirectory("vivarium-alarms-");
        node = new LocalNodeLauncher().start(new NodeOptions("127.0.0.1", 0, data, Optional.empty(), Map.of()));
        client = new ApiClient(node.uri(), ScriptedNode.SHORT);
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    // ---- alarms: first what is near, then what ends the run

    @Test
    void memoryIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled(
                "MEMORY",
                submit(
                        Map.of("memory", "64Mi"),
                        """
                        import time
                        near = bytearray(b'x') * (57 << 20)
                        time.sleep(2)
                        beyond = bytearray(b'x') * (30 << 20)
                        time.sleep(60)
                        """));
    }

    @Test
    void processesAreWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled(
                "PIDS",
                submit(
                        Map.of("pids", "10"),
                        """
                        import subprocess, time
                        near = [subprocess.Popen(['sleep', '60']) for _ in range(9)]
                        time.sleep(2)
                        beyond = subprocess.Popen(['sleep', '60'])
                        """));
    }

    @Test
    void diskIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled(
                "DISK",
                submit(
                        Map.of("disk", "16Mi"),
                        """
                        import time
                        with open('/workspace/near', 'wb') as near: near.write(bytes(15 << 20))
                        time.sleep(2)
                        with open('/workspace/beyond', 'wb') as beyond: beyond.write(bytes(2 << 20))
                        """));
    }

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void filesAreWarnedOfAndThenDeadlyInBothClasses(String isolation) throws Exception {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python").put("isolation", isolation);
        List.of("python3", "-c", FILES).forEach(body.putArray("command")::add);
        body.putObject("egress").put("mode", "none");
        body.putObject("limits").put("files", 500);

        String run =
                client.submit(body, UUID.randomUUID().toString()).path("id").asText();

        assertWarnedAndKilled("FILES", run);
        JsonNode end = client.run(run);
        assertThat(end.path("measurement").path("limit").asLong()).isEqualTo(500);
        assertThat(end.path("measurement").path("measured").asLong()).isGreaterThanOrEqualTo(500);
        assertThat(end.path("usage").path("filesPeak").asLong()).isGreaterThanOrEqualTo(500);
        if (isolation.equals("container")) {
            assertThat(end.path("usage").path("filesPeak").asLong()).isEqualTo(500);
            assertThat(printed(run)).contains("refused with errno 28 after 499");
        }
    }

    /** 460 files in 20 folders, time to be warned of, and on until it is refused. */
    private static final String FILES =
            """
            import os, time
            made = 0
            try:
                for number in range(20_000):
                    if number == 460: time.sleep(3)
                    os.makedirs(f'/workspace/modules/{number // 24}', exist_ok=True)
                    open(f'/workspace/modules/{number // 24}/{number}', 'w').close()
                    made += 1
            except OSError as refused:
                folders = len(os.listdir('/workspace/modules')) + 1
                print(f'refused with errno {refused.errno} after {made + folders - 1}', flush=True)
            time.sleep(60)
            """;

    @Test
    void outputIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled(
                "OUTPUT",
                submit(
                        Map.of("output", "100000"),
                        """
                        import time
                        print('x' * 95000, flush=True)
                        time.sleep(2)
                        print('x' * 10000, flush=True)
                        time.sleep(60)
                        """));
    }

    @Test
    void processorTimeIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled("CPU_TIME", submit(Map.of("cpuTime", "4s"), "while True: pass"));
    }

    @Test
    void idlenessIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled("IDLE", submit(Map.of("idle", "5s"), "import time; time.sleep(60)"));
    }

    @Test
    void theDeadlineIsWarnedOfAndThenDeadly() throws Exception {
        assertWarnedAndKilled(
                "WALL_CLOCK",
                submit(
                        Map.of("wallClock", "5s"),
                        "import time\nwhile True: print('busy', flush=True); time.sleep(0.1)"));
    }

    @Test
    void aFloodIsToldWithItsRateAndLeftToItsLimit() throws Exception {
        String run = submit(Map.of("output", "20Mi"), "print('x' * (6 << 20))");

        assertThat(ended(run).path("status").asText()).isEqualTo("SUCCEEDED");

        assertThat(alarms(run)).containsExactly("OUTPUT NOTED BYTES_PER_SECOND");
        assertThat(events(run)).contains("reason=OUTPUT measurement=1 MiB/s (limit 1 MiB/s) consequence=NOTED");
    }

    private void assertWarnedAndKilled(String reason, String run) throws Exception {
        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo("KILLED");
        assertThat(end.path("reason").asText()).isEqualTo(reason);

        assertThat(alarms(run).stream().map(alarm -> alarm.substring(0, alarm.lastIndexOf(' '))))
                .as("%s", events(run))
                .containsSubsequence(reason + " NOTED", reason + " KILL")
                .doesNotHaveDuplicates();
        assertThat(events(run))
                .containsPattern(
                        "AlarmRaised +attempt=1 reason=" + reason + " measurement=.* \\(limit .*\\) consequence=NOTED")
                .containsPattern(
                        "AlarmRaised +attempt=1 reason=" + reason + " measurement=.* \\(limit .*\\) consequence=KILL");
    }

    // ---- usage, for each way to end

    @Test
    void aRunOfAMomentHasUsedWhatItUsed() throws Exception {
        String run = submit(
                Map.of(),
                """
                import os
                big = bytearray(b'x') * (40 << 20)
                open('/workspace/file', 'wb').write(bytes(3 << 20))
                print('hello')
                """);

        Usage used = used(run, RunStatus.SUCCEEDED);

        assertThat(used.memoryPeakBytes()).isBetween(40L << 20, 64L << 20);
        assertThat(used.diskPeakBytes()).isBetween(3L << 20, 4L << 20);
        assertThat(used.outputBytes()).isEqualTo(6);
        assertThat(used.pidsPeak()).isEqualTo(1);
        assertThat(used.cpuMillis()).isPositive();
    }

    @Test
    void aRunThatDoesNextToNothingHasUsedNextToNothing() throws Exception {
        Usage used = used(submitCommand(Map.of(), List.of("true")), RunStatus.SUCCEEDED);

        assertThat(used.memoryPeakBytes()).isLessThan(4L << 20);
        assertThat(used.pidsPeak()).isEqualTo(1);
        assertThat(used.outputBytes()).isZero();
    }

    @Test
    void aRunThatEndsItselfByASignalHasUsedWhatItUsed() throws Exception {
        String run = submit(Map.of(), BURN + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)");

        Usage used = used(run, RunStatus.FAILED);

        assertThat(used.cpuMillis()).isGreaterThanOrEqualTo(300);
        assertThat(used.wallMillis()).isGreaterThanOrEqualTo(used.cpuMillis() / 2);
        assertThat(ended(run).path("exitCode").asInt()).isEqualTo(137);
    }

    @Test
    void aKilledRunHasUsedWhatItUsedUntilItsLastMoment() throws Exception {
        String run = submit(
                Map.of("wallClock", "3s", "pids", "60"),
                """
                import subprocess
                gone = [subprocess.Popen(['true']) for _ in range(30)]
                for each in gone: each.wait()
                big = bytearray(b'x') * (40 << 20); del big
                while True: pass
                """);

        Usage used = used(run, RunStatus.KILLED);

        JsonNode noted = StreamSupport.stream(client.events(run).path("events").spliterator(), false)
                .filter(event -> event.path("type").asText().equals("AlarmRaised"))
                .findFirst()
                .orElseThrow()
                .path("data");
        // What it used between its last alarm and its end is in it: between two samples it would be less.
        assertThat(used.wallMillis())
                .isGreaterThan(noted.path("measurement").path("measured").asLong());
        assertThat(used.cpuMillis()).isGreaterThanOrEqualTo(300);
        assertThat(used.memoryPeakBytes()).isGreaterThanOrEqualTo(40L << 20);
    }

    @Test
    void aCancelledRunHasUsedWhatItUsed() throws Exception {
        String run = submit(Map.of(), BURN + "print('burnt', flush=True)\nimport time; time.sleep(60)");
        await().atMost(Duration.ofSeconds(60)).until(() -> printed(run).contains("burnt"));

        client.cancel(run);

        assertThat(used(run, RunStatus.CANCELLED).cpuMillis()).isGreaterThanOrEqualTo(300);
    }

    private static final String BURN = "import time\nwhile time.process_time() < 0.3: pass\n";

    private Usage used(String run, RunStatus status) throws Exception {
        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo(status.name());
        Usage used = ApiJson.as(end.path("usage"), Usage.class);
        assertThat(line("show", run)).contains(used.pidsPeak() + " processes");
        return used;
    }

    // ---- what an owner of runs does

    private static String submit(Map<String, String> limits, String program) throws Exception {
        return submitCommand(limits, List.of("python3", "-c", program));
    }

    private static String submitCommand(Map<String, String> limits, List<String> command) throws Exception {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python");
        command.forEach(body.putArray("command")::add);
        body.putObject("egress").put("mode", "none");
        ObjectNode asked = body.putObject("limits").put("wallClock", "60s").put("cpu", "1");
        limits.forEach((name, value) -> {
            if (name.equals("pids")) {
                asked.put(name, Integer.parseInt(value));
            } else {
                asked.put(name, value);
            }
        });
        return client.submit(body, UUID.randomUUID().toString()).path("id").asText();
    }

    private static JsonNode ended(String run) {
        return await("the end of " + run)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(100))
                .until(
                        () -> client.run(run),
                        view -> RunStatus.valueOf(view.path("status").asText()).isTerminal());
    }

    private static List<String> alarms(String run) throws Exception {
        return StreamSupport.stream(client.events(run).path("events").spliterator(), false)
                .filter(event -> event.path("type").asText().equals("AlarmRaised"))
                .map(event -> event.path("data"))
                .map(alarm -> alarm.path("reason").asText() + " "
                        + alarm.path("consequence").asText() + " "
                        + alarm.path("measurement").path("unit").asText())
                .toList();
    }

    private String events(String run) {
        return line("events", run);
    }

    private String printed(String run) {
        return line("logs", run);
    }

    private String line(String command, String run) {
        line.environment.put("VIVARIUM_SERVER", node.uri().toString());
        line.out.reset();
        assertThat(line.run(command, run)).as(line::noted).isZero();
        return line.printed();
    }
}
