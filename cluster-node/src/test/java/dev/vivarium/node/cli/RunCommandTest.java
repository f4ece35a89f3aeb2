package dev.vivarium.node.cli;

import static dev.vivarium.client.SampleRuns.ID;
import static dev.vivarium.client.SampleRuns.cancelled;
import static dev.vivarium.client.SampleRuns.chunk;
import static dev.vivarium.client.SampleRuns.failed;
import static dev.vivarium.client.SampleRuns.killed;
import static dev.vivarium.client.SampleRuns.lost;
import static dev.vivarium.client.SampleRuns.notStarted;
import static dev.vivarium.client.SampleRuns.running;
import static dev.vivarium.client.SampleRuns.succeeded;
import static dev.vivarium.client.ScriptedNode.answer;
import static dev.vivarium.client.ScriptedNode.hangUp;
import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.SampleRuns;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    private static final String SUBMIT = "POST /v1/runs";
    private static final String RUN = "GET /v1/runs/" + ID;
    private static final String CANCEL = "POST /v1/runs/" + ID + "/cancel";

    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    /** Scripts a run that prints something and ends like this. */
    private void scriptRun(String end) {
        node.on(SUBMIT, json(202, running()))
                .on(RUN, json(200, running()), json(200, end))
                .on(
                        RUN + "/output",
                        answer(200, "application/x-ndjson", chunk("stdout", 0, "out\n") + chunk("stderr", 4, "err\n")),
                        answer(200, "application/x-ndjson", ""));
    }

    private JsonNode submitted() throws IOException {
        return ApiJson.parse(node.requests(SUBMIT).get(0).body().getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void printsTheRunsOutputAndExitsWithItsCode() {
        scriptRun(failed(7));

        assertThat(line.run("run", "--", "python3", "a.py")).isEqualTo(7);

        assertThat(line.printed()).isEqualTo("out\n");
        assertThat(line.noted()).isEqualTo("err\n");
    }

    @Test
    void theModeOfAFileIsSent(@TempDir Path folder) throws IOException {
        Path agent = Files.write(folder.resolve("agent"), new byte[] {0x7f, 'E', 'L', 'F'});
        Files.setPosixFilePermissions(agent, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path script = Files.writeString(folder.resolve("script"), "#!/bin/sh\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path key = Files.writeString(folder.resolve("key"), "k");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        scriptRun(succeeded());

        line.run(("run --file " + agent + " --file " + script + " --file " + key + " -- ./agent").split(" "));

        assertThat(submitted().path("files"))
                .isEqualTo(ApiJson.parse(
                        """
                        {"agent":{"base64":"f0VMRg==","mode":"0755"},"script":"#!/bin/sh\\n",
                         "key":{"base64":"aw==","mode":"0600"}}"""
                                .getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aFolderIsUploadedAsAReproducibleArchive(@TempDir Path folder) throws IOException {
        Path project = Files.createDirectories(folder.resolve("project"));
        Files.writeString(project.resolve("b"), "content");
        Files.createDirectories(project.resolve("a/empty"));
        Files.createSymbolicLink(project.resolve("l"), Path.of("b"));
        LocalFolder.Packed packed = new LocalFolder(project, "--file").packed();
        node.on("PUT /v1/blobs/" + packed.digest(), ScriptedNode.json(201, "{}"));
        scriptRun(succeeded());

        assertThat(line.run(("run --file " + project + "/ -- true").split(" "))).isZero();
        assertThat(submitted().path("files").toString())
                .isEqualTo("{\"project\":{\"digest\":\"" + packed.digest() + "\",\"form\":\"archive\"}}");
        assertThat(node.requests().get(0).line()).isEqualTo("PUT /v1/blobs/" + packed.digest());
        assertThat(node.requests().get(0).body()).hasSize(Math.toIntExact(Files.size(packed.archive())));
    }

    @Test
    void aLargeFileIsUploadedBeforeTheSubmissionThatRefersToIt(@TempDir Path folder) throws IOException {
        byte[] content = "x".repeat((1 << 20) + 1).getBytes(StandardCharsets.UTF_8);
        String digest = Digest.of(content).toString();
        Path file = Files.write(folder.resolve("model"), content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        node.on("PUT /v1/blobs/" + digest, ScriptedNode.json(201, "{}"));
        scriptRun(succeeded());

        assertThat(line.run(("run -l tenant=blue --file " + file + " -- true").split(" ")))
                .isZero();

        assertThat(node.requests().get(0).line()).isEqualTo("PUT /v1/blobs/" + digest + "?tenant=blue");
        assertThat(node.requests().get(0).body()).hasSize(content.length);
        assertThat(submitted().path("files"))
                .isEqualTo(ApiJson.parse(("{\"model\":{\"digest\":\"" + digest + "\",\"mode\":\"0644\"}}")
                        .getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void sendsAllOptions(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("a=b.py"), "print('ä')");
        Path binary = Files.write(folder.resolve("model"), new byte[] {(byte) 0xff, 0});
        Path secret = Files.writeString(folder.resolve("key"), "from file\n");
        line.environment.put("KEY", "from environment");
        line.environment.put("MINE", "passed on");
        scriptRun(succeeded());

        assertThat(line.run(("run --image i --memory 64Mi --cpu 500m --cpu-time 2m --wall-clock 5s --idle 1s --pids 8"
                                + " --disk 1Mi --output-limit 2Mi --egress none --isolation gvisor --on-node-loss fail"
                                + " --warn 2s:SIGUSR2 --max-attempts 2 -e A=1=2 -e MINE --secret KEY --secret K2=@"
                                + secret
                                + " -l team=research --file " + text + " --file " + binary
                                + "=models/m.bin --workdir /workspace/x --idempotency-key k -- sh -c -x")
                        .split(" ")))
                .isZero();

        assertThat(submitted())
                .isEqualTo(ApiJson.parse(
                        """
                                {"image":"i","command":["sh","-c","-x"],
                                 "limits":{"memory":"64Mi","cpu":"500m","cpuTime":"2m","wallClock":"5s","idle":"1s","disk":"1Mi",
                                   "output":"2Mi","pids":8},
                                 "egress":{"mode":"none"},"isolation":"gvisor","onNodeLoss":"fail","workdir":"/workspace/x",
                                 "warning":{"before":"2s","signal":"SIGUSR2"},
                                 "maxAttempts":2,"env":{"A":"1=2","MINE":"passed on"},
                                 "secrets":{"KEY":"from environment","K2":"from file"},"labels":{"team":"research"},
                                 "files":{"a=b.py":"print('ä')","models/m.bin":{"base64":"/wA="}}}"""
                                .getBytes(StandardCharsets.UTF_8)));
        assertThat(node.requests(SUBMIT).get(0).header("Idempotency-key")).isEqualTo("k");
    }

    @Test
    void anInjectedHeaderIsSentInPartsAndItsPrefixUnchanged() throws IOException {
        line.environment.put("KEY", "from environment");
        scriptRun(succeeded());

        assertThat(line.run(
                        "run",
                        "--secret",
                        "KEY",
                        "--allow",
                        "api.example.com",
                        "--inject",
                        "host=api.example.com,header=Authorization,secret=KEY,prefix=Token a=1, b=",
                        "--inject",
                        "secret=KEY,host=api.example.com,header=X-Key",
                        "--",
                        "true"))
                .isZero();

        assertThat(submitted().path("egress"))
                .isEqualTo(ApiJson.parse(
                        """
                                {"mode":"allowlist","allow":["api.example.com"],"inject":[
                                  {"header":"Authorization","host":"api.example.com","prefix":"Token a=1, b=","secret":"KEY"},
                                  {"header":"X-Key","host":"api.example.com","secret":"KEY"}]}"""
                                .getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", "=x", "host=a,host=b", "host=a,name=b", "host=a,,header=b", "host=a,header"})
    void aMalformedInjectedHeaderIsRefusedLocally(String inject) {
        assertThat(line.run("run", "--inject", inject, "--", "true")).isEqualTo(2);

        assertThat(line.noted()).contains("--inject");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void leavesDefaultsToTheNode() throws IOException {
        scriptRun(succeeded());

        line.run("run", "--", "true");

        assertThat(submitted()).hasToString("{\"image\":\"vivarium/python\",\"command\":[\"true\"]}");
        assertThat(node.requests(SUBMIT).get(0).header("Idempotency-key")).startsWith("cli-");
    }

    @Test
    void aSecretOnTheCommandLineIsRefusedAndNotRepeated() {
        assertThat(line.run("run", "--secret", "KEY=hunter2", "--", "true")).isEqualTo(2);

        assertThat(line.noted()).contains("--secret KEY").contains("KEY=@FILE").doesNotContain("hunter2");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void aSecretWithoutAValueIsPromptedFor() throws IOException {
        scriptRun(succeeded());
        line.secretPrompt = name -> Optional.of("typed " + name);

        assertThat(line.run("run", "--secret", "KEY", "--", "true")).isZero();

        assertThat(submitted().path("secrets").path("KEY").asText()).isEqualTo("typed KEY");
        assertThat(line.printed() + line.noted()).doesNotContain("typed KEY");
    }

    @Test
    void missingOrMalformedInputsAreReportedBeforeAnythingIsSent() {
        assertThat(line.run("run", "--secret", "NONE", "--", "true")).isEqualTo(2);
        assertThat(line.run("run", "--env", "NONE", "--", "true")).isEqualTo(2);
        assertThat(line.run("run", "--label", "x", "--", "true")).isEqualTo(2);
        assertThat(line.run("run", "--file", "/no/such/file", "--", "true")).isEqualTo(66);
        assertThat(line.run("run")).isEqualTo(2);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void everyInvalidFieldIsReported() {
        node.on(
                SUBMIT,
                json(
                        400,
                        """
                        {"type":"urn:x","title":"Bad request","status":400,"detail":"The submission has 2 bad fields.",
                         "errors":[{"field":"limits.memory","message":"must be a size"},
                           {"field":"limits.pids","message":"is 0"}]}
                        """));

        assertThat(line.run("run", "--memory", "x", "--pids", "0", "--", "true"))
                .isEqualTo(65);

        assertThat(line.noted())
                .isEqualTo(
                        """
                        vivarium: The submission has 2 bad fields.
                        vivarium:   limits.memory: must be a size
                        vivarium:   limits.pids: is 0
                        """);
    }

    @Test
    void aKilledRunIsReportedWithReasonAndMeasurement() {
        scriptRun(killed("WALL_CLOCK", "{\"measured\":5003,\"limit\":5000,\"unit\":\"MILLIS\"}"));

        assertThat(line.run("run", "--", "sleep", "60")).isEqualTo(124);

        assertThat(line.noted())
                .endsWith("vivarium: run " + ID + " was killed: WALL_CLOCK after 5.003 s (limit 5 s)\n");
    }

    @ParameterizedTest
    @EnumSource(KillReason.class)
    void everyReasonHasItsOwnExitCode(KillReason reason) {
        int code = ExitCode.of(SampleRuns.view(killed(reason.name(), "null")));

        assertThat(code == 124 || (code > 200 && code < 216)).isTrue();
        assertThat(Arrays.stream(KillReason.values())
                        .map(other -> ExitCode.of(SampleRuns.view(killed(other.name(), "null"))))
                        .collect(Collectors.toSet()))
                .hasSize(KillReason.values().length);
        line.run("run", "--help");
        assertThat(line.printed()).contains(code + " " + reason);
    }

    static List<Limit<?>> limits() {
        return Limit.ALL;
    }

    @ParameterizedTest
    @MethodSource("limits")
    void everyLimitOfTheTableHasAnOptionThatSendsItAndALineInTheHelp(Limit<?> limit) throws IOException {
        scriptRun(succeeded());
        String smallest = limit.smallest().toString();

        assertThat(line.run("run", limit.option(), smallest, "--", "true")).isZero();
        line.run("run", "--help");

        assertThat(submitted().path("limits").properties()).hasSize(1);
        assertThat(submitted().path("limits").path(limit.name()).asText()).isEqualTo(smallest);
        assertThat(line.printed())
                .containsPattern(limit.option() + "=" + limit.kind().label() + "\\s+\\Q" + limit.help());
    }

    @Test
    void anInvalidCountIsRefusedBeforeAnythingIsSent() {
        assertThat(line.run("run", "--pids", "128Mi", "--", "true")).isEqualTo(2);

        assertThat(node.requests()).isEmpty();
        assertThat(line.noted()).contains("--pids 128Mi: must be a count, a whole number such as 128.");
    }

    @Test
    void aRunThatDidNotStartIsReportedWithTheReason() {
        scriptRun(notStarted("COMMAND_NOT_FOUND", "There is no nonsense in the sandbox."));
        assertThat(line.run("run", "--", "nonsense")).isEqualTo(127);
        assertThat(line.noted())
                .endsWith("run " + ID + " did not start: COMMAND_NOT_FOUND: There is no nonsense in the sandbox.\n");

        assertThat(ExitCode.of(SampleRuns.view(notStarted("COMMAND_NOT_EXECUTABLE", "x"))))
                .isEqualTo(126);
        assertThat(ExitCode.of(SampleRuns.view(notStarted("IMAGE_UNAVAILABLE", "x"))))
                .isEqualTo(125);
    }

    @Test
    void whenTheNodeIsLostTheRunIdIsPrinted() {
        node.on(SUBMIT, json(202, running())).on(RUN, hangUp());

        assertThat(line.run("run", "--", "true")).isEqualTo(69);

        assertThat(line.noted()).contains("run " + ID + " was accepted").contains("vivarium logs -f " + ID);
    }

    @Test
    void aLostRunIsReported() {
        scriptRun(lost("NODE_LOST"));

        assertThat(line.run("run", "--", "true")).isEqualTo(209);
        assertThat(line.noted()).contains("was lost: NODE_LOST");
    }

    @Test
    void aDetachedRunPrintsOnlyItsId() {
        node.on(SUBMIT, json(202, running()));

        assertThat(line.run("run", "-d", "--", "true")).isZero();

        assertThat(line.printed()).isEqualTo(ID + "\n");
        assertThat(node.requests()).hasSize(1);
    }

    @Test
    void jsonOutputIsChunksFollowedByTheRun() {
        scriptRun(succeeded());

        assertThat(line.run("run", "-o", "json", "--", "true")).isZero();

        assertThat(line.printed().lines().toList()).hasSize(3).satisfies(lines -> assertThat(lines.get(2))
                .contains("\"status\":\"SUCCEEDED\""));
    }

    @Test
    void theFirstCtrlCCancels() {
        node.on(SUBMIT, json(202, running()))
                .on(CANCEL, json(202, running()))
                .on(RUN, json(200, running()), json(200, cancelled()))
                .on(
                        RUN + "/output",
                        exchange -> {
                            line.interrupts.join().interrupted(1);
                            answer(200, "application/x-ndjson", chunk("stdout", 0, "a"))
                                    .give(exchange);
                        },
                        answer(200, "application/x-ndjson", chunk("stdout", 1, "b")));

        assertThat(line.run("run", "--", "sleep", "60")).isEqualTo(130);

        assertThat(node.requests(CANCEL)).hasSize(1);
        assertThat(line.printed()).isEqualTo("ab");
        assertThat(line.noted()).contains("cancelling run " + ID).contains("was cancelled");
    }

    @Test
    void aCtrlCBeforeTheAcknowledgementCancelsAfterIt() {
        node.on(
                        SUBMIT,
                        exchange -> {
                            line.interrupts.join().interrupted(1);
                            hangUp().give(exchange);
                        },
                        json(202, running()))
                .on(CANCEL, json(202, running()))
                .on(RUN, json(200, cancelled()))
                .on(RUN + "/output", answer(200, "application/x-ndjson", ""));

        assertThat(line.run("run", "--", "true")).isEqualTo(130);

        assertThat(node.requests(CANCEL)).hasSize(1);
    }

    @Test
    void aRunCancelledElsewhereHasItsOwnExitCode() {
        scriptRun(cancelled());

        assertThat(line.run("run", "--", "true")).isEqualTo(208);
    }
}
