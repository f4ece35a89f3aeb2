package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.assembly.LocalNodeLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Through a whole node with the driver oci: workspaces larger than memory, each a file system of its own. */
@Timeout(240)
class LargeDisksOnTheEngineTest {
    private static final Path FILES = Path.of("/var/lib/vivarium/disks");

    private static final String FILL_BYTES =
            """
            import time
            with open('f', 'wb') as out:
             for _ in range(1000):
              try: out.write(b'x' * (1 << 20))
              except OSError: time.sleep(1)
            """;
    private static final String FILL_FILES =
            """
            import time
            for i in range(100000):
             try: open(f'/tmp/{i}', 'w').close()
             except OSError: time.sleep(1)
            """;

    private static RunningNode node;
    private static ApiClient client;
    private static String token;

    private final String label = "test=" + UUID.randomUUID();
    private final CommandLineFixture line = new CommandLineFixture();

    @BeforeAll
    static void startNode() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
        Path data = Files.createTempDirectory("vivarium-disks-");
        node = new LocalNodeLauncher()
                .start(new NodeOptions(
                        "127.0.0.1",
                        0,
                        data,
                        Credentials.fileIn(data),
                        data.resolve("socket").resolve("api.sock"),
                        Optional.empty(),
                        Map.of("vivarium.driver.kind", "oci", "vivarium.driver.oci.disk.memory-max", "64Mi")));
        token = Files.readString(Credentials.fileIn(data)).strip();
        client = new ApiClient(node.uri(), Credentials.of(token), ScriptedNode.SHORT);
    }

    @AfterAll
    static void stopNode() {
        if (node != null) {
            node.close();
        }
    }

    @AfterEach
    void nothingOfADiskIsLeft() {
        await().until(() -> devices().isEmpty());
        assertThat(FILES).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void aWorkspaceIsLargerThanTheMemory(String isolation) throws Exception {
        int code = run(
                isolation,
                "768Mi",
                """
                import os
                block = b"x" * (1 << 20)
                with open("/tmp/staged", "wb") as out:
                    for _ in range(400):
                        out.write(block)
                    os.fsync(out.fileno())
                os.rename("/tmp/staged", "/workspace/result")
                print(os.path.getsize("result") >> 20, os.stat("/tmp").st_dev == os.stat("/workspace").st_dev)
                space = os.statvfs("/workspace")
                print(space.f_bavail * space.f_frsize >= (368 << 20), space.f_bavail * space.f_frsize < (376 << 20))
                """);

        assertThat(line.noted()).isEmpty();
        assertThat(code).isZero();
        assertThat(line.printed()).startsWith("400 ").contains("True True\n");
        JsonNode usage = last().path("usage");
        assertThat(usage.path("diskPeakBytes").asLong()).isBetween(400L << 20, 402L << 20);
        assertThat(usage.path("memoryPeakBytes").asLong()).isLessThanOrEqualTo(128L << 20);
    }

    @ParameterizedTest
    @CsvSource({"container, DISK, 205", "gvisor, DISK, 205", "container, FILES, 214", "gvisor, FILES, 214"})
    void itsBytesAndFilesHaveAnEnd(String isolation, String reason, int exitCode) throws Exception {
        int code = run(isolation, "128Mi", reason.equals("DISK") ? FILL_BYTES : FILL_FILES, "--files", "2000");

        assertThat(code).isEqualTo(exitCode);
        JsonNode end = last();
        assertThat(end.path("reason").asText()).isEqualTo(reason);
        assertThat(end.path("usage").path("diskPeakBytes").asLong()).isLessThanOrEqualTo(133L << 20);
    }

    @Test
    void whatIsSharedMemoryIsStillCountedBesideFilesOnADisk() throws Exception {
        int code = run(
                "container",
                "256Mi",
                """
                import mmap, time
                open("f", "wb").write(b"x" * (100 << 20))
                held = mmap.mmap(-1, 200 << 20)
                for at in range(0, 200 << 20, 4096):
                    held[at] = 1
                time.sleep(20)
                """);

        assertThat(code).isEqualTo(203);
        assertThat(last().path("reason").asText()).isEqualTo("MEMORY");
    }

    @Test
    void theNodeCountsItOnItsDiskAndNotInItsMemory() throws Exception {
        run("container", "128Mi", "print(1)");
        assertThat(node().path("capacity").path("diskBytes").asLong()).isPositive();
        await().until(() -> node().path("taken").path("diskBytes").asLong() == 0);
        String id = client.submit(
                        new JsonMapper()
                                .readTree(
                                        """
                                {"image": "vivarium/python", "command": ["sleep", "60"], "egress": {"mode": "none"},
                                 "limits": {"disk": "128Mi", "memory": "64Mi"}}"""))
                .path("id")
                .asText();
        await().until(() -> client.run(id).path("status").asText().equals("RUNNING"));

        await().until(() -> node().path("taken").path("diskBytes").asLong() == 128L << 20);
        assertThat(node().path("taken").path("memoryBytes").asLong()).isEqualTo(64L << 20);
        assertThat(devices()).hasSize(1);
        client.cancel(id);
        await().until(() -> client.run(id).path("status").asText().equals("CANCELLED"));
    }

    @Test
    void itIsGoneWithItsSandboxThoughItsLauncherHasDied() throws Exception {
        String id = client.submit(
                        new JsonMapper()
                                .readTree(
                                        """
                                {"image": "vivarium/python", "command": ["sleep", "60"], "egress": {"mode": "none"},
                                 "limits": {"disk": "128Mi", "memory": "64Mi"}}"""))
                .path("id")
                .asText();
        await().until(() -> client.run(id).path("status").asText().equals("RUNNING"));
        ProcessHandle launcher = ProcessHandle.current()
                .children()
                .filter(child -> child.info().command().orElse("").contains("vivarium-launch"))
                .findFirst()
                .orElseThrow();

        launcher.destroyForcibly();
        await().until(() -> !launcher.isAlive());
        assertThat(devices()).hasSize(1);
        client.cancel(id);

        await().until(() -> client.run(id).path("status").asText().equals("CANCELLED"));
        await().until(() -> devices().isEmpty());
    }

    private static JsonNode node() throws Exception {
        return client.nodes().path("nodes").path(0);
    }

    private int run(String isolation, String disk, String program, String... further) {
        line.environment.put("VIVARIUM_SERVER", node.uri().toString());
        line.environment.put("VIVARIUM_TOKEN", token);
        List<String> words = new ArrayList<>(List.of(
                "run",
                "--egress",
                "none",
                "--isolation",
                isolation,
                "--memory",
                "128Mi",
                "--wall-clock",
                "60s",
                "--label",
                label,
                "--disk",
                disk));
        words.addAll(List.of(further));
        words.addAll(List.of("--", "python3", "-c", program));
        return line.run(words.toArray(String[]::new));
    }

    /** The list of runs follows the journal a moment later. */
    private JsonNode last() {
        return await().until(
                        () -> client.runs(List.of(Map.entry("label", label)))
                                .path("runs")
                                .path(0),
                        run -> run.path("usage").path("wallMillis").asLong() > 0);
    }

    /** The devices of disks, whose files are deleted when they are mounted. */
    private static List<String> devices() throws IOException {
        try (Stream<Path> blocks = Files.list(Path.of("/sys/block"))) {
            return blocks.map(block -> block.resolve("loop/backing_file"))
                    .filter(Files::exists)
                    .map(LargeDisksOnTheEngineTest::text)
                    .filter(file -> file.startsWith(FILES.toString()))
                    .toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException gone) {
            return "";
        }
    }
}
