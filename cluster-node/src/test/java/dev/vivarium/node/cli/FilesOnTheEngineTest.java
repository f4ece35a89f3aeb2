package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.client.Submission;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.archive.TarWriter;
import dev.vivarium.node.assembly.LocalNodeLauncher;
import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.RunStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real engine, through a whole node: files of a submission, and files kept as artifacts. */
@Timeout(180)
class FilesOnTheEngineTest {
    /** gVisor's statx fails for folders with the flags that coreutils uses. */
    private static final String MODES =
            """
            exec python3 -c 'import os, sys
            for path in sys.argv[1:]:
             it = os.stat(path); print(oct(it.st_mode), *([it.st_size] if path.endswith(".bin") else []))'\s""";

    private static RunningNode node;
    private static ApiClient client;
    private static String token;

    private final CommandLineFixture line = new CommandLineFixture();

    @BeforeAll
    static void startNode() throws Exception {
        Path data = Files.createTempDirectory("vivarium-files-");
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

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void aFolderIsInTheWorkspaceWithAllItsContents(String isolation, @TempDir Path folder) throws Exception {
        Path project = Files.createDirectories(folder.resolve("project"));
        Files.createDirectories(project.resolve("src/empty"));
        Files.writeString(project.resolve("src/é.txt"), "accent");
        Files.createSymbolicLink(project.resolve("src/l"), Path.of("../run.sh"));
        mode(Files.write(project.resolve("secret.bin"), new byte[3 << 20]), "r--------");
        mode(
                Files.writeString(project.resolve("run.sh"), "#!/bin/sh\n" + MODES + "secret.bin closed src run.sh\n"),
                "rwxr-x---");
        Path closed = Files.createDirectories(project.resolve("closed"));
        Files.writeString(closed.resolve("f"), "x");
        mode(closed, "r-xr-x---");
        line.environment.put("VIVARIUM_SERVER", node.uri().toString());
        line.environment.put("VIVARIUM_TOKEN", token);

        int exit = line.run(
                "run",
                "--egress",
                "none",
                "--isolation",
                isolation,
                "--file",
                project.toString(),
                "--",
                "sh",
                "-c",
                "cd project && find . | sort && cat src/*.txt && src/l");

        assertThat(line.noted()).isEmpty();
        assertThat(exit).isZero();
        assertThat(line.printed().lines())
                .containsExactly(
                        ".",
                        "./closed",
                        "./closed/f",
                        "./run.sh",
                        "./secret.bin",
                        "./src",
                        "./src/empty",
                        "./src/l",
                        "./src/é.txt",
                        "accent0o100400 3145728",
                        "0o40550",
                        "0o40755",
                        "0o100750");
    }

    @Test
    void aGzipArchiveFillsTheWorkspaceAndFilesAreWrittenAfterIt() throws Exception {
        ByteString archive = TarWriter.file("a", FileMode.PLAIN, 1, 0)
                .concat(ByteString.fromString("1"))
                .concat(TarWriter.padding(1))
                .concat(TarWriter.file("b", FileMode.PLAIN, 0, 0))
                .concat(TarWriter.END);
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write(archive.toArray());
        }
        Submission submission = submission("sh", "-c", "ls; cat a").file("a", "2".getBytes(StandardCharsets.UTF_8));

        JsonNode end =
                ended(submission.archive(".", uploaded(zipped.toByteArray())).body());

        assertThat(end.path("status").asText()).isEqualTo(RunStatus.SUCCEEDED.name());
        assertThat(printed(end)).isEqualTo("a\nb\n2");
        assertThat(end.path("spec").path("files").path(".").path("form").asText())
                .isEqualTo("archive");
    }

    @Test
    void pipInstallsAWheelThatCameWithTheRunAndTimeZonesAreThere() throws Exception {
        Submission submission = submission(
                        "sh",
                        "-c",
                        "pip install -q --no-index ./greeting-1.0-py3-none-any.whl && python3 agent.py"
                                + " && python3 -m venv venv && venv/bin/pip install -q --no-index ./*.whl"
                                + " && venv/bin/python agent.py")
                .file("greeting-1.0-py3-none-any.whl", wheel())
                .file(
                        "agent.py",
                        ("import datetime, greeting, zoneinfo\nprint(greeting.TEXT, datetime.datetime(2026, 7, 1,"
                                        + " tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).isoformat())")
                                .getBytes(StandardCharsets.UTF_8));

        JsonNode end = ended(submission.body());

        assertThat(end.path("status").asText()).isEqualTo(RunStatus.SUCCEEDED.name());
        assertThat(printed(end)).isEqualTo("hello 2026-07-01T00:00:00+02:00\nhello 2026-07-01T00:00:00+02:00\n");
    }

    /** The smallest that pip takes: a module, and three files about it. */
    private static byte[] wheel() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, String> file : Map.of(
                            "greeting.py", "TEXT = 'hello'\n",
                            "greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
                            "greeting-1.0.dist-info/WHEEL",
                                    "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                            "greeting-1.0.dist-info/RECORD", "greeting.py,,\n")
                    .entrySet()) {
                zip.putNextEntry(new ZipEntry(file.getKey()));
                zip.write(file.getValue().getBytes(StandardCharsets.UTF_8));
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    @Test
    void anArchiveThatWritesThroughItsOwnLinkIsRefusedByTheGuest() throws Exception {
        ByteString archive = TarWriter.link("l", ".", 0)
                .concat(TarWriter.file("l/f", FileMode.PLAIN, 0, 0))
                .concat(TarWriter.END);

        assertThat(refusal(archive))
                .isEqualTo(
                        "The file /workspace/in/l/f could not be made (not a directory): no part of its path may be a"
                                + " file or a link, and no folder may be in its place.");
    }

    @Test
    void anArchiveThatEscapesTheWorkspaceEndsTheRunBeforeItsAgentStarts() throws Exception {
        assertThat(refusal(TarWriter.link("l", "/etc/passwd", 0).concat(TarWriter.END)))
                .isEqualTo(
                        "The archive in cannot be unpacked: its entry 'l' is a link to '/etc/passwd', which leads out"
                                + " of /workspace or may: leave it out, or have the agent make it.");
        assertThat(refusal(TarWriter.file("f", FileMode.PLAIN, 1L << 40, 0)))
                .isEqualTo("The archive in cannot be unpacked: its entry 'f' has 1099511627776 bytes, and limits.disk"
                        + " leaves room for 268435456.");
        assertThat(refusal(ByteString.fromString("x".repeat(1000)))).contains("it is no tar archive, or damaged");
    }

    private static final String MAKE =
            """
            import os, socket, sys, time
            os.makedirs('out/sub/empty')
            open('out/a.csv', 'w').write('a')
            open('out/run.sh', 'w').write('x'); os.chmod('out/run.sh', 0o4750)
            open('out/sub/big.bin', 'wb').write(bytes(range(256)) * 4096 + b'end')
            os.symlink('/etc/passwd', 'out/link')
            os.mkfifo('out/pipe')
            socket.socket(socket.AF_UNIX).bind('out/socket')
            open(b'out/b\\xff', 'w').write('x')
            open('out/closed', 'w').write('x'); os.chmod('out/closed', 0)
            open('other.txt', 'w').write('not asked for')
            os.symlink('out', 'away')
            print('made', flush=True)
            """;

    @ParameterizedTest
    @CsvSource({
        "container, succeeds, sys.exit(0), SUCCEEDED",
        "gvisor, succeeds, sys.exit(0), SUCCEEDED",
        "container, fails, sys.exit(3), FAILED",
        "container, is killed by its deadline, time.sleep(60), KILLED",
        "gvisor, is killed by its deadline, time.sleep(60), KILLED",
        "container, is killed for memory, held = bytearray(b'x') * (300 << 20); time.sleep(61), KILLED",
        "container, is cancelled, time.sleep(61), CANCELLED",
    })
    void filesAreKeptHoweverTheRunEnds(String isolation, String how, String end, String status, @TempDir Path folder)
            throws Exception {
        Submission submission = submission("python3", "-c", MAKE + end)
                .with("isolation", isolation)
                .limit("wallClock", end.equals("time.sleep(60)") ? "3s" : "60s")
                .artifact("out")
                .artifact("away/x")
                .artifact("none/*.txt");
        String id = client.submit(submission.body(), UUID.randomUUID().toString())
                .path("id")
                .asText();
        if (status.equals("CANCELLED")) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> printed(client.run(id)).contains("made"));
            client.cancel(id);
        }

        assertThat(ended(id).path("status").asText()).isEqualTo(status);

        ArtifactList kept = client.artifacts(id);
        assertThat(kept.artifacts())
                .extracting(file -> file.path() + " " + file.mode() + " " + file.size())
                .containsExactly("out/a.csv 0644 1", "out/run.sh 0750 1", "out/sub/big.bin 0644 1048579");
        assertThat(kept.examples())
                .containsExactlyInAnyOrder(
                        new LeftOut("out/link", LeftOut.Cause.LINK),
                        new LeftOut("out/pipe", LeftOut.Cause.NO_FILE),
                        new LeftOut("out/socket", LeftOut.Cause.NO_FILE),
                        new LeftOut("out/b\ufffd", LeftOut.Cause.NAME_NOT_UTF8),
                        new LeftOut("out/closed", LeftOut.Cause.UNREADABLE),
                        new LeftOut("away/x", LeftOut.Cause.MISSING),
                        new LeftOut("none", LeftOut.Cause.MISSING));
        assertThat(kept.leftOut()).isEqualTo(7);
        line.environment.put("VIVARIUM_SERVER", node.uri().toString());
        line.environment.put("VIVARIUM_TOKEN", token);
        assertThat(line.run("artifacts", id, "-o", folder.toString()))
                .as(line.noted())
                .isZero();
        byte[] big = Files.readAllBytes(folder.resolve("out/sub/big.bin"));
        assertThat(Digest.of(big)).isEqualTo(kept.artifacts().get(2).digest());
        assertThat(folder.resolve("out/run.sh")).isExecutable().hasContent("x");
        assertThat(line.noted()).contains("out/link (a symbolic link)");
        assertThat(tarOf(id)).hasSize(3);
    }

    private static List<String> tarOf(String id) throws Exception {
        HttpResponse<byte[]> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(node.uri().resolve("/v1/runs/" + id + "/artifacts"))
                                .header("Accept", "application/x-tar")
                                .header("Authorization", "Bearer " + token)
                                .build(),
                        HttpResponse.BodyHandlers.ofByteArray());
        assertThat(answer.statusCode()).isEqualTo(200);
        Process tar = new ProcessBuilder("tar", "tf", "-").start();
        try (OutputStream in = tar.getOutputStream()) {
            in.write(answer.body());
        }
        return new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }

    @Test
    void aGlobThatMatchesTooManyFilesIsLimitedAndReported() throws Exception {
        JsonNode end = ended(submission("python3", "-c", "for i in range(3000): open(f'f{i:05}', 'w').write('x')")
                .artifact("*")
                .body());

        ArtifactList kept = client.artifacts(end.path("id").asText());
        assertThat(kept.artifacts()).hasSize(1000);
        assertThat(kept.leftOut()).isEqualTo(2000);
        assertThat(kept.examples()).hasSize(LeftOut.NAMED_MAX).allMatch(left -> left.why() == LeftOut.Cause.TOO_MANY);
    }

    @Test
    void artifactsBeyondTheLimitAreSkipped() throws Exception {
        JsonNode end = ended(submission("sh", "-c", "echo 1 > a; head -c 200000 /dev/zero > b; echo 2 > c")
                .limit("artifacts", "64Ki")
                .artifact("?")
                .body());

        ArtifactList kept = client.artifacts(end.path("id").asText());
        assertThat(kept.artifacts()).extracting(Artifact::path).containsExactly("a", "c");
        assertThat(kept.examples()).containsExactly(new LeftOut("b", LeftOut.Cause.TOO_LARGE));
    }

    private static String refusal(ByteString archive) throws Exception {
        JsonNode end = ended(
                submission("true").archive("in", uploaded(archive.toArray())).body());
        assertThat(end.path("failure").path("kind").asText()).as(end.toString()).isEqualTo("FILE_REFUSED");
        return end.path("failure").path("message").asText();
    }

    private static Submission submission(String... command) {
        return new Submission("vivarium/python", List.of(command)).egress("none");
    }

    private static Digest uploaded(byte[] content) throws Exception {
        Path file = Files.write(Files.createTempFile("vivarium-files-", ".tar"), content);
        Digest digest = Digest.of(content);
        client.putBlob(digest, file, Optional.empty());
        return digest;
    }

    private static void mode(Path path, String permissions) throws Exception {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    private static JsonNode ended(ObjectNode body) throws Exception {
        return ended(
                client.submit(body, UUID.randomUUID().toString()).path("id").asText());
    }

    private static JsonNode ended(String id) {
        return await().atMost(Duration.ofSeconds(60))
                .until(
                        () -> client.run(id),
                        run -> !run.path("finishedAt").isMissingNode()
                                && !run.path("finishedAt").isNull());
    }

    private static String printed(JsonNode run) throws Exception {
        return new String(
                client.output(run.path("id").asText(), OutputChunkView.Stream.STDOUT, OutputFollower.Mode.SO_FAR)
                        .readAllBytes(),
                StandardCharsets.UTF_8);
    }
}
