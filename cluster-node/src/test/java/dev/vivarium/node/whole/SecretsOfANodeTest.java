package dev.vivarium.node.whole;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The secrets of a run are visible to its agent and nowhere else, on a node and an engine that log everything. Each search
 * is shown to work: it finds a value that is no secret.
 */
@Timeout(500)
class SecretsOfANodeTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String PRINTED = "printed-" + token(24);
    private static final String LONGEST = token(100_000);
    private static final byte[] KEY_BYTES = bytes(33);
    private static final Map<String, String> SECRETS = Map.of(
            "TOKEN",
            token(40),
            "LONG",
            LONGEST,
            "ODD",
            token(8) + " p@$$%20w\"'`\\<&>|;\t\u001b[31m \u00e9\u6f22\ud83d\ude00 =" + token(8),
            "LINES",
            token(32) + "\n" + token(32) + "\r\n\n" + token(32) + "\n",
            "BASE64",
            Base64.getEncoder().encodeToString(KEY_BYTES));
    private static final Search SEARCH = Search.values(SECRETS);
    private static final Search DECODED = Search.bytes(Map.of("BASE64, decoded", KEY_BYTES));

    private static final Agent AGENT = withSecrets(Agent.python(
            """
            import hashlib, os, time
            for name in ('TOKEN', 'LONG', 'ODD', 'LINES', 'BASE64'):
                print(name, hashlib.sha256(os.environ[name].encode()).hexdigest())
            print('%s', flush=True)
            time.sleep(600 if 'STAY' in os.environ else 0)
            """
                    .formatted(PRINTED)));

    @RegisterExtension
    static final DataDirectory DATA = new DataDirectory();

    private static PrivateEngine engine;
    private static WholeNode node;
    private static String run;
    private static Instant began;

    @BeforeAll
    static void start() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        began = Instant.now();
        engine = PrivateEngine.start();
        node = WholeNode.on(DATA)
                // The engine's sandboxes are counted: those of runs.
                .with("--set", "vivarium.pool.ceiling=0")
                .engine(engine.address())
                .java(everyLogger())
                .go();
        run = node.submit(staying()).acceptedRun();
        node.awaitPrinted(run, PRINTED);
    }

    @AfterAll
    static void stop() throws IOException {
        if (node != null) {
            node.close();
        }
        if (engine != null) {
            engine.close();
        }
    }

    private static String[] everyLogger() {
        List<String> options = new ArrayList<>(List.of("-Dlogback.configurationFile=every-logger.xml"));
        options.add("-Djava.util.logging.config.file=" + resource("every-logger.properties"));
        options.add("-Dpekko.loglevel=DEBUG");
        options.add("-Dpekko.log-config-on-start=on");
        options.add("-Dpekko.log-dead-letters=1000");
        for (String what : List.of("receive", "autoreceive", "lifecycle", "event-stream", "unhandled", "fsm")) {
            options.add("-Dpekko.actor.debug." + what + "=on");
        }
        options.add("-Dpekko.remote.artery.log-received-messages=on");
        options.add("-Dpekko.remote.artery.log-sent-messages=on");
        options.add("-Dpekko.cluster.sharding.verbose-debug-logging=on");
        options.add("-Dpekko.persistence.typed.log-stashing=on");
        return options.toArray(String[]::new);
    }

    /** After every test: the node has logged and printed no secret. */
    @AfterEach
    void theNodeHasPrintedNone() throws IOException {
        for (Path said : node.said()) {
            assertThat(found(Files.readAllBytes(said))).as("in %s", said).isEmpty();
        }
        assertThat(node.log())
                .contains(run)
                .contains("TRACE ")
                .contains(" org.apache.pekko.")
                .contains(" com.github.dockerjava.")
                .contains(" com.zaxxer.hikari.")
                .contains("org.postgresql.");
    }

    @Test
    void theAgentHasThemUnchanged() throws Exception {
        String printed = node.printed(run);
        for (var secret : SECRETS.entrySet()) {
            assertThat(printed).contains(secret.getKey() + " " + sha256(secret.getValue()));
        }
        assertThat(SEARCH.in(Files.readAllBytes(Path.of("/proc/" + agent() + "/environ"))))
                .containsAll(SECRETS.keySet());
    }

    @Test
    void noneIsInTheDataDirectoryNorInATemporaryFile() throws Exception {
        Search control = Search.values(Map.of("printed", PRINTED, "run", run));

        assertThat(SEARCH.below(DATA.path())).isEmpty();
        assertThat(DECODED.below(DATA.path())).isEmpty();
        assertThat(SEARCH.below(node.temporary())).isEmpty();
        assertThat(control.below(DATA.path()).keySet())
                .anyMatch(file -> file.toString().contains("/pg_wal/"))
                .anyMatch(file -> file.toString().endsWith("/keys/" + run));
    }

    @Test
    void noneIsInTheEnginesAnswersOrFiles() throws Exception {
        String container = container();
        JsonNode inspected = inspect(container);
        StringBuilder told = new StringBuilder(inspected.toString());
        told.append(engine.docker("ps", "--all", "--no-trunc", "--format", "{{json .}}"));
        told.append(engine.docker("top", container));
        told.append(engine.docker("image", "inspect", "vivarium/python"));
        told.append(engine.docker("image", "history", "--no-trunc", "vivarium/python"));
        for (String volume : engine.docker("volume", "ls", "--quiet").lines().toList()) {
            told.append(engine.docker("volume", "inspect", volume));
        }
        String events = engine.docker(
                "events", "--since", began.toString(), "--until", Instant.now().toString(), "--format", "{{json .}}");

        assertThat(found(told.append(events).toString().getBytes(UTF_8))).isEmpty();
        assertThat(events).contains(container).contains("attach").contains(run);
        assertThat(inspected.at("/ExecIDs").isNull()).isTrue();
        assertThat(engine.docker("diff", container)).doesNotContain("workspace/");
        assertThat(SEARCH.below(engine.folder())).isEmpty();
        assertThat(DECODED.below(engine.folder())).isEmpty();
        assertThat(Search.values(Map.of("run", run)).below(engine.folder()).keySet())
                .anyMatch(file -> file.endsWith("log"))
                .anyMatch(file -> file.toString().contains("containers/" + container));
    }

    @Test
    void noneIsInAnyCommandLineOrEnvironmentButTheAgents() throws Exception {
        String agent = agent();
        Map<String, Set<String>> found = new TreeMap<>();
        List<String> seen = new ArrayList<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes.filter(SecretsOfANodeTest::isProcess).toList()) {
                for (String file : List.of("cmdline", "environ")) {
                    byte[] content = readIfThere(process.resolve(file));
                    if (content.length > 0) {
                        seen.add(process.resolve(file).toString());
                    }
                    if (!found(content).isEmpty()) {
                        found.put(process.resolve(file).toString(), found(content));
                    }
                }
            }
        }
        assertThat(found.keySet()).containsExactly("/proc/" + agent + "/environ");
        assertThat(seen)
                .contains("/proc/" + node.pid() + "/cmdline", "/proc/" + node.pid() + "/environ")
                .contains("/proc/" + node.store().pid() + "/cmdline", "/proc/" + guest() + "/cmdline");
    }

    @Test
    void theGuestErasesThemOnceTheyArePassedOn() throws Exception {
        byte[] memory = ProcessMemory.of(Long.parseLong(guest()));

        assertThat(found(memory)).isEmpty();
        assertThat(Search.values(Map.of("guest", "/.vivarium/vivarium-init")).in(memory))
                .isNotEmpty();
    }

    @Test
    void noneIsReachableOnTheNodesHeapOnceTheyAreSent(@TempDir Path folder) throws Exception {
        Path heap = folder.resolve("heap");
        node.dumpHeap(heap);

        try (var content = Files.newInputStream(heap)) {
            assertThat(SEARCH.in(content)).isEmpty();
        }
        try (var content = Files.newInputStream(heap)) {
            assertThat(Search.values(Map.of("run", run)).in(content)).isNotEmpty();
        }
    }

    @Test
    void noneIsInAnAnswerOfTheApi() throws Exception {
        ByteArrayOutputStream answers = new ByteArrayOutputStream();
        answers.writeBytes(node.exchange(submission(AGENT.json())));
        for (String path : List.of(
                "/v1/runs/" + run,
                "/v1/runs?limit=100",
                "/v1/runs/" + run + "/events",
                "/v1/runs/" + run + "/output?stream=stdout,stderr",
                "/metrics",
                "/health/ready",
                "/openapi.yaml")) {
            byte[] answer = node.exchange(node.request(path));
            assertThat(new String(answer, UTF_8)).as(path).startsWith("200 ");
            answers.writeBytes(answer);
        }
        answers.writeBytes(
                node.exchange(node.request("/v1/runs/" + run + "/output").header("Accept", "application/x-ndjson")));
        try (var events = node.open("/v1/runs/" + run + "/events", "text/event-stream")) {
            answers.writeBytes(events.readNBytes(1024));
        }

        assertThat(found(answers.toByteArray())).isEmpty();
        assertThat(answers.toString(UTF_8)).contains(run).contains(PRINTED).contains("RunSubmitted");
    }

    @Test
    void noneIsInTheOutputOfTheCommandLine() throws Exception {
        StringBuilder printed = new StringBuilder();
        for (List<String> command : List.of(
                List.of("show", run),
                List.of("show", run, "-o", "json"),
                List.of("ps", "-a"),
                List.of("ps", "-a", "-o", "json"),
                List.of("events", run),
                List.of("events", run, "-o", "json"),
                List.of("logs", run),
                List.of("run", "--image", "vivarium/python", "--secret", "TOKEN", "--", "true"),
                List.of("run", "--image", "vivarium/python", "--secret", "TOKEN", "--", "no-such-command"),
                List.of("run", "--image", "vivarium/python", "--secret", "TOKEN=" + SECRETS.get("TOKEN"), "--", "true"),
                List.of("run", "--image", "NO IMAGE", "--secret", "TOKEN", "--", "true"))) {
            printed.append(commandLine(command));
        }

        assertThat(found(printed.toString().getBytes(UTF_8))).isEmpty();
        assertThat(printed.toString())
                .contains(run)
                .contains(PRINTED)
                .contains("a value on the command line is no secret")
                .contains("no-such-command")
                .contains("image");
    }

    @Test
    void noneIsInTheRefusalOfItsSubmission() throws Exception {
        String keyed = "key-" + token(8);
        // It lives meanwhile: once a run has ended, nobody can compare its secrets.
        Agent first = staying();
        String accepted = new String(node.exchange(submission(first.json()).header("Idempotency-Key", keyed)), UTF_8);
        String live = accepted.replaceFirst("(?s).*\"id\":\"([0-9a-z]{26})\".*", "$1");
        for (var refused : refusedBodies(first).entrySet()) {
            byte[] answer = node.exchange(submission(refused.getKey()).header("Idempotency-Key", keyed));
            assertThat(found(answer)).as("in %s", refused.getValue()).isEmpty();
            assertThat(new String(answer, UTF_8))
                    .as("after %s", refused.getValue())
                    .startsWith("4");
        }
        for (String type : List.of("text/plain", "application/x-www-form-urlencoded")) {
            byte[] answer = node.exchange(node.request("/v1/runs")
                    .header("Content-Type", type)
                    .POST(HttpRequest.BodyPublishers.ofString(AGENT.json())));
            assertThat(found(answer)).as(type).isEmpty();
            assertThat(new String(answer, UTF_8)).startsWith("4");
        }
        byte[] notUtf8 = AGENT.json().getBytes(UTF_8);
        notUtf8[notUtf8.length - 2] = (byte) 0xff;
        byte[] answer = node.exchange(node.request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(notUtf8)));
        assertThat(found(answer)).isEmpty();
        assertThat(new String(answer, UTF_8)).startsWith("400 ");
        node.cancel(live);
        node.awaitEnd(live);
    }

    /** Bodies with secrets that are refused, and why. */
    private static Map<String, String> refusedBodies(Agent first) {
        String good = AGENT.json();
        String token = SECRETS.get("TOKEN");
        String quoted = "\"" + token + "\"";
        Map<String, String> bodies = new TreeMap<>();
        bodies.put(first.secret("TOKEN", token(40)).json(), "another secret under the same key");
        bodies.put(first.limit("wallClock", "1m").json(), "another limit under the same key");
        bodies.put(AGENT.limit("memory", "a lot").json(), "a bad limit");
        bodies.put(AGENT.secret("A=B", token).json(), "a bad name of a secret");
        bodies.put(AGENT.secret("", token).json(), "a secret without a name");
        bodies.put(AGENT.secret("NUL", token + "\0").json(), "a NUL in a secret");
        bodies.put(AGENT.secret("HUGE", LONGEST + LONGEST).json(), "a secret that is too long");
        bodies.put(good.replace("\"secrets\":", "\"secret\":"), "an unknown field");
        bodies.put(good.replace(quoted, "{\"value\":" + quoted + "}"), "a secret that is an object");
        bodies.put(good.replace(quoted, "[" + quoted + "]"), "a secret that is a list");
        bodies.put(good.replace(quoted, token), "a secret without quotes");
        bodies.put(good.substring(0, good.indexOf(token) + 30), "a body that is cut off in a secret");
        bodies.put(good.replace("\"TOKEN\":", "\"LONG\":"), "a secret that is named twice");
        bodies.put(good + quoted, "a secret after the body");
        bodies.put(quoted, "a body that is a secret");
        bodies.put(good.replace(quoted, "\"\\x" + token + "\""), "a secret with an invalid escape");
        bodies.put("{\"image\":\"a\",\"command\":[\"b\"],\"secrets\":" + quoted + "}", "secrets that are a string");
        return bodies;
    }

    @Test
    void noneIsAnywhereWhenItsRunHasEnded() throws Exception {
        String ended = node.submit(AGENT).acceptedRun();
        assertThat(node.awaitEnd(ended).path("status").asText()).isEqualTo("SUCCEEDED");
        await().until(() -> Files.notExists(DATA.path().resolve("keys/" + ended)));

        assertThat(SEARCH.below(DATA.path())).isEmpty();
        assertThat(SEARCH.below(engine.folder())).isEmpty();
        assertThat(SEARCH.below(Path.of("/dev/shm"))).isEmpty();
        assertThat(engine.docker("ps", "--all", "--quiet").lines()).hasSize(1);
    }

    // ---- vocabulary of the tests

    private static Set<String> found(byte[] content) {
        Set<String> found = SEARCH.in(content);
        found.addAll(DECODED.in(content));
        return found;
    }

    /** It lives until it is cancelled. */
    private static Agent staying() {
        return AGENT.secret("STAY", token(20));
    }

    private static Agent withSecrets(Agent agent) {
        Agent all = agent;
        for (var secret : SECRETS.entrySet()) {
            all = all.secret(secret.getKey(), secret.getValue());
        }
        return all;
    }

    private static HttpRequest.Builder submission(String body) {
        return node.request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }

    private static String container() throws Exception {
        return engine.docker("ps", "--no-trunc", "--quiet", "--filter", "name=" + run)
                .strip();
    }

    private static JsonNode inspect(String container) throws Exception {
        return ApiJson.parse(engine.docker("inspect", container).getBytes(UTF_8))
                .path(0);
    }

    /** The process that is PID 1 in the agent's sandbox, as the host numbers it. */
    private static String guest() throws Exception {
        return inspect(container()).at("/State/Pid").asText();
    }

    private static String agent() throws Exception {
        String guest = guest();
        return ProcessHandle.of(Long.parseLong(guest))
                .orElseThrow()
                .children()
                .map(child -> Long.toString(child.pid()))
                .findFirst()
                .orElseThrow();
    }

    static boolean isProcess(Path folder) {
        return folder.getFileName().toString().chars().allMatch(Character::isDigit);
    }

    static byte[] readIfThere(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException gone) {
            return new byte[0];
        }
    }

    /** The command line's output on both streams, however it ends. */
    private static String commandLine(List<String> words) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1"));
        command.add("-Dlogback.configurationFile=every-logger.xml");
        command.addAll(NodeProgram.options());
        command.add(NodeProgram.MAIN);
        command.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("VIVARIUM_SERVER", node.uri().toString());
        builder.environment().put("VIVARIUM_TOKEN", node.token());
        builder.environment().put("TOKEN", SECRETS.get("TOKEN"));
        Process process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        process.waitFor();
        return printed;
    }

    private static String resource(String name) {
        return Path.of("src/test/resources", name).toAbsolutePath().toString();
    }

    private static String token(int length) {
        String letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        return RANDOM.ints(length, 0, letters.length())
                .mapToObj(at -> letters.substring(at, at + 1))
                .collect(Collectors.joining());
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    private static String sha256(String value) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value.getBytes(UTF_8)));
    }
}
