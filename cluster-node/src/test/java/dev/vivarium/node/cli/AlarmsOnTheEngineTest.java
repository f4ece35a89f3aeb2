package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.assembly.LocalNodeLauncher;
import dev.vivarium.protocol.run.Limit;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real engine, through a whole node: alarms and usage as the owner of a run sees them. */
@Timeout(180)
class AlarmsOnTheEngineTest {
    private static RunningNode node;
    private static ApiClient client;
    private static String token;

    private final CommandLineFixture line = new CommandLineFixture();

    @BeforeAll
    static void startNode() throws Exception {
        Path data = Files.createTempDirectory("vivarium-alarms-");
        node = new LocalNodeLauncher()
                .start(new NodeOptions(
                        "127.0.0.1",
                        0,
                        data,
                        Credentials.fileIn(data),
                        data.resolve("socket").resolve("api.sock"),
                        Optional.empty(),
                        Map.of()));
        token = Files.readString(Credentials.fileIn(data)).strip();
        client = new ApiClient(node.uri(), Credentials.of(token), ScriptedNode.SHORT);
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    // ---- alarms: first the warning, then the kill

    @Test
    void memoryIsWarnedOfAndThenKillsTheRun() throws Exception {
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
    void processesAreWarnedOfAndThenKillTheRun() throws Exception {
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
    void diskIsWarnedOfAndThenKillsTheRun() throws Exception {
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

    /** Dentries of looked-up names belong to the kernel, and files that come and go between two samples to the disk. */
    @Test
    void cachesAndFilesDoNotCountAsMemory() throws Exception {
        String run = submit(
                Map.of("memory", "64Mi", "disk", "128Mi"),
                """
                import os, time
                for number in range(600000):
                    try: os.stat(f'/usr/none{number}')
                    except OSError: pass
                block = bytes(1 << 20)
                for number in range(15):
                    file = os.open('/workspace/burst', os.O_CREAT | os.O_WRONLY)
                    for _ in range(90): os.write(file, block)
                    time.sleep(0.02)
                    os.unlink('/workspace/burst')
                    os.close(file)
                    time.sleep(0.02)
                """);

        Usage used = used(run, RunStatus.SUCCEEDED);

        assertThat(alarms(run)).filteredOn(alarm -> alarm.startsWith("MEMORY")).isEmpty();
        assertThat(used.get(Limit.MEMORY)).isBetween(1L << 20, 40L << 20);
    }

    /** A kernel of its own has files and programs in one memory, and tells of files later than they come and go. */
    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void largeFilesThatComeAndGoAreNoMemoryInEitherClass(String isolation) throws Exception {
        String run = submit(
                isolation,
                Map.of("memory", "48Mi", "disk", "400Mi"),
                """
                import os, time
                # The guest looks at files rarely while nothing changes.
                time.sleep(2)
                block = bytes(1 << 20)
                for number in range(4):
                    file = os.open('/workspace/burst', os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
                    for _ in range(300): os.write(file, block)
                    os.close(file)
                    time.sleep(0.3)
                    os.unlink('/workspace/burst')
                    time.sleep(0.3)
                """);

        Usage used = used(run, RunStatus.SUCCEEDED);

        assertThat(alarms(run)).filteredOn(alarm -> alarm.startsWith("MEMORY")).isEmpty();
        assertThat(used.get(Limit.DISK)).isBetween(250L << 20, 301L << 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void sharedMemoryIsWarnedOfAndThenKillsTheRunInBothClasses(String isolation) throws Exception {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python").put("isolation", isolation);
        List.of("python3", "-c", SHARED_MEMORY).forEach(body.putArray("command")::add);
        body.putObject("egress").put("mode", "none");
        body.putObject("limits").put("memory", "64Mi").put("sharedMemory", "8Mi");

        String run =
                client.submit(body, UUID.randomUUID().toString()).path("id").asText();

        assertWarnedAndKilled("SHARED_MEMORY", run);
        assertThat(client.run(run).path("usage").path("sharedMemoryPeakBytes").asLong())
                .isEqualTo(8 << 20);
    }

    private static final String SHARED_MEMORY =
            """
            import os, time
            file = os.open('/dev/shm/near', os.O_CREAT | os.O_WRONLY)
            for megabyte in range(7): os.write(file, bytes(1 << 20))
            os.write(file, bytes(600 << 10))
            time.sleep(2)
            try: os.write(file, bytes(2 << 20))
            finally: time.sleep(60)
            """;

    /** An agent that handles SIGTERM gets its grace and no more, and the end of the run shows how much it used. */
    @ParameterizedTest
    @CsvSource({"2s, 0.3, 300, 1500", "300ms, 30, 290, 600"})
    void aRunThatAsksForAGraceHasItAfterItsDeadline(String grace, String needs, long least, long most)
            throws Exception {
        String run = submit(
                Map.of("wallClock", "1s", "grace", grace),
                """
                import signal, sys, time
                def save(*_):
                    print('saving', flush=True)
                    time.sleep(%s)
                    print('saved', flush=True)
                    sys.exit()
                signal.signal(signal.SIGTERM, save)
                time.sleep(60)
                """
                        .formatted(needs));

        JsonNode end = ended(run);

        assertThat(end.path("reason").asText()).isEqualTo("WALL_CLOCK");
        assertThat(end.path("usage").path("graceMillis").asLong()).isBetween(least, most);
        assertThat(end.path("usage").path("wallMillis").asLong()).isBetween(1000 + least, 1000 + most);
        assertThat(printed(run)).isEqualTo(needs.equals("0.3") ? "saving\nsaved\n" : "saving\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void filesAreWarnedOfAndThenKillTheRunInBothClasses(String isolation) throws Exception {
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

    @ParameterizedTest
    @CsvSource({"container, 64", "gvisor, 64", "container, 8192"})
    void aProcessAtItsLimitOfOpenFilesContinuesInBothClasses(String isolation, int most) throws Exception {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python").put("isolation", isolation);
        List.of("python3", "-c", OPEN_FILES).forEach(body.putArray("command")::add);
        body.putObject("egress").put("mode", "none");
        body.putObject("limits").put("openFiles", most);

        String run =
                client.submit(body, UUID.randomUUID().toString()).path("id").asText();

        assertThat(ended(run).path("status").asText()).isEqualTo(RunStatus.SUCCEEDED.name());
        assertThat(printed(run)).contains("refused with errno 24 after descriptor " + (most - 1));
    }

    private static final String OPEN_FILES =
            """
            held = []
            try:
                while True: held.append(open('/dev/null'))
            except OSError as refused:
                print('refused with errno', refused.errno, 'after descriptor', held[-1].fileno())
            """;

    /** 460 files in 20 folders, a pause for the warning, and then more files until creation fails. */
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
    void outputIsWarnedOfAndThenKillsTheRun() throws Exception {
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
    void processorTimeIsWarnedOfAndThenKillsTheRun() throws Exception {
        assertWarnedAndKilled("CPU_TIME", submit(Map.of("cpuTime", "4s"), "while True: pass"));
    }

    @Test
    void idlenessIsWarnedOfAndThenKillsTheRun() throws Exception {
        assertWarnedAndKilled("IDLE", submit(Map.of("idle", "5s"), "import time; time.sleep(60)"));
    }

    @Test
    void theDeadlineIsWarnedOfAndThenKillsTheRun() throws Exception {
        assertWarnedAndKilled(
                "WALL_CLOCK",
                submit(
                        Map.of("wallClock", "5s"),
                        "import time\nwhile True: print('busy', flush=True); time.sleep(0.1)"));
    }

    @Test
    void aFloodIsReportedWithItsRateAndContinuesToItsLimit() throws Exception {
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

    // ---- usage, for every way to end

    @Test
    void theUsageOfAShortRunIsReported() throws Exception {
        String run = submit(
                Map.of(),
                """
                import os
                big = bytearray(b'x') * (40 << 20)
                open('/workspace/file', 'wb').write(bytes(3 << 20))
                print('hello')
                """);

        Usage used = used(run, RunStatus.SUCCEEDED);

        assertThat(used.get(Limit.MEMORY)).isBetween(40L << 20, 64L << 20);
        assertThat(used.get(Limit.DISK)).isBetween(3L << 20, 4L << 20);
        assertThat(used.get(Limit.OUTPUT)).isEqualTo(6);
        assertThat(used.get(Limit.PIDS)).isEqualTo(1);
        assertThat(used.get(Limit.CPU_TIME)).isPositive();
    }

    @Test
    void aRunThatDoesHardlyAnythingHasHardlyAnyUsage() throws Exception {
        Usage used = used(submitCommand(Map.of(), List.of("true")), RunStatus.SUCCEEDED);

        assertThat(used.get(Limit.MEMORY)).isLessThan(4L << 20);
        assertThat(used.get(Limit.PIDS)).isEqualTo(1);
        assertThat(used.get(Limit.OUTPUT)).isZero();
    }

    @Test
    void theUsageOfARunThatEndsByItsOwnSignalIsReported() throws Exception {
        String run = submit(Map.of(), BURN + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)");

        Usage used = used(run, RunStatus.FAILED);

        assertThat(used.get(Limit.CPU_TIME)).isGreaterThanOrEqualTo(300);
        assertThat(used.get(Limit.WALL_CLOCK)).isGreaterThanOrEqualTo(used.get(Limit.CPU_TIME) / 2);
        assertThat(ended(run).path("exitCode").asInt()).isEqualTo(137);
    }

    @Test
    void theUsageOfAKilledRunIncludesItsLastMoment() throws Exception {
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
        // Usage between the last alarm and the end is included: a value sampled earlier would be lower.
        assertThat(used.get(Limit.WALL_CLOCK))
                .isGreaterThan(noted.path("measurement").path("measured").asLong());
        assertThat(used.get(Limit.CPU_TIME)).isGreaterThanOrEqualTo(300);
        assertThat(used.get(Limit.MEMORY)).isGreaterThanOrEqualTo(40L << 20);
    }

    @Test
    void theUsageOfACancelledRunIsReported() throws Exception {
        String run = submit(Map.of(), BURN + "print('burnt', flush=True)\nimport time; time.sleep(60)");
        await().atMost(Duration.ofSeconds(60)).until(() -> printed(run).contains("burnt"));

        client.cancel(run);

        assertThat(used(run, RunStatus.CANCELLED).get(Limit.CPU_TIME)).isGreaterThanOrEqualTo(300);
    }

    private static final String BURN = "import time\nwhile time.process_time() < 0.3: pass\n";

    private Usage used(String run, RunStatus status) throws Exception {
        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo(status.name());
        Usage used = ApiJson.as(end.path("usage"), Usage.class);
        assertThat(line("show", run)).contains("pids " + used.get(Limit.PIDS));
        return used;
    }

    // ---- requests of a run's owner

    private static String submit(Map<String, String> limits, String program) throws Exception {
        return submit("container", limits, program);
    }

    private static String submit(String isolation, Map<String, String> limits, String program) throws Exception {
        return submitCommand(isolation, limits, List.of("python3", "-c", program));
    }

    private static String submitCommand(Map<String, String> limits, List<String> command) throws Exception {
        return submitCommand("container", limits, command);
    }

    private static String submitCommand(String isolation, Map<String, String> limits, List<String> command)
            throws Exception {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python").put("isolation", isolation);
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
        line.environment.put("VIVARIUM_TOKEN", token);
        line.out.reset();
        assertThat(line.run(command, run)).as(line::noted).isZero();
        return line.printed();
    }
}
