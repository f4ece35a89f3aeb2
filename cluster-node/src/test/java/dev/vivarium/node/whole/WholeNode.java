package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.trials.outside.LeftoverScan;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/** A node in a separate JVM, as {@code vivarium up} starts it. Closing it kills it. */
final class WholeNode implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("Vivarium is ready at (http://\\S+)");
    private static final Duration START_MAX = Duration.ofSeconds(90);
    /** Includes the time in which a test keeps the node's store away. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final int PRINTED_CHARS_MAX = 64 * 1024;
    private static final List<String> TERMINAL = List.of("SUCCEEDED", "FAILED", "KILLED", "CANCELLED", "LOST");

    /** For tests of an answer's status, head or bytes; all other requests use {@link #api}. */
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    private final DataDirectory data;
    private final Process process;
    private final Path output;
    private final Path errors;
    private final Path temporary;
    private final Map<String, String> environment;
    private final URI uri;
    private final String token;
    private final ApiClient api;

    private WholeNode(DataDirectory data, Start start) throws IOException {
        this.data = data;
        this.temporary = Files.createTempDirectory("vivarium-whole-tmp-");
        this.errors = Files.createTempFile("vivarium-whole-", ".err");
        this.output = Files.createTempFile("vivarium-whole-", ".out");
        List<String> command = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1", "-Xms64m"));
        // The shipped logging configuration, not the one for tests.
        command.add("-Dlogback.configurationFile=logback.xml");
        command.addAll(List.of("-Xmx" + start.heap, "-XX:+ExitOnOutOfMemoryError", "-Djava.io.tmpdir=" + temporary));
        command.addAll(start.java);
        command.addAll(start.program);
        command.add(NodeProgram.MAIN);
        command.addAll(List.of("up", "--port", "0", "--data", data.path().toString()));
        command.addAll(start.arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile());
        builder.environment().put("TMPDIR", temporary.toString());
        builder.environment().put("VIVARIUM_HOME", data.path().toString());
        builder.environment().putAll(start.environment);
        this.environment = Map.copyOf(builder.environment());
        this.process = builder.start();
        try {
            await().atMost(START_MAX)
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> !process.isAlive()
                            || READY.matcher(Files.readString(output)).find());
            Matcher ready = READY.matcher(Files.readString(output));
            assertThat(ready.find()).as(this::log).isTrue();
            this.uri = URI.create(ready.group(1));
            this.token = Files.readString(Credentials.fileIn(data.path())).strip();
            this.api = new ApiClient(uri, Credentials.of(token), RetryPolicy.NONE, PATIENCE);
        } catch (RuntimeException | AssertionError failed) {
            close();
            throw failed;
        }
    }

    /** How to start a node. */
    record Start(
            DataDirectory data,
            String heap,
            Map<String, String> environment,
            List<String> program,
            List<String> java,
            List<String> arguments) {
        Start heap(String most) {
            return new Start(data, most, environment, program, java, arguments);
        }

        /** With this engine, which also runs its sandboxes. */
        Start engine(URI engine) {
            List<String> onIt = new ArrayList<>(arguments);
            onIt.addAll(List.of("--set", "vivarium.driver.kind=docker"));
            return new Start(data, heap, Map.of("DOCKER_HOST", engine.toString()), program, java, onIt);
        }

        /** With these JVM options. */
        Start java(String... further) {
            return new Start(data, heap, environment, program, List.of(further), arguments);
        }

        Start with(String... further) {
            return new Start(data, heap, environment, program, java, List.of(further));
        }

        /** Returns once it is ready. */
        WholeNode go() throws IOException {
            return new WholeNode(data, this);
        }
    }

    static Start on(DataDirectory data) {
        return on(data, NodeProgram.options());
    }

    /** With these options for its classes. */
    static Start on(DataDirectory data, List<String> program) {
        return new Start(data, "512m", Map.of(), program, List.of(), List.of());
    }

    // ---- a user's requests

    URI uri() {
        return uri;
    }

    /** The token of its machine's operator. */
    String token() {
        return token;
    }

    Answer submit(Agent agent) throws IOException, InterruptedException {
        return answer(submission(agent));
    }

    Answer submit(Agent agent, String idempotencyKey) throws IOException, InterruptedException {
        return answer(submission(agent).header("Idempotency-Key", idempotencyKey));
    }

    private HttpRequest.Builder submission(Agent agent) {
        return request("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(agent.json()));
    }

    Answer get(String path) throws IOException, InterruptedException {
        return answer(request(path));
    }

    Answer post(String path) throws IOException, InterruptedException {
        return answer(request(path).POST(HttpRequest.BodyPublishers.noBody()));
    }

    private interface Question<T> {
        T ask() throws ApiException, InterruptedIOException;
    }

    /** The client's result; a missing node is an {@link IOException}, and a refusal fails the test. */
    private static <T> T answered(Question<T> question) throws IOException {
        try {
            return question.ask();
        } catch (ApiException.NodeUnreachable gone) {
            throw new IOException(gone);
        } catch (ApiException refused) {
            throw new AssertionError(refused.getMessage(), refused);
        }
    }

    /** The run as it is now. */
    JsonNode run(String id) throws IOException {
        return answered(() -> api.run(id));
    }

    /** Asks the run to stop. */
    void cancel(String id) throws IOException {
        answered(() -> api.cancel(id));
    }

    String status(String id) throws IOException {
        return run(id).path("status").asText();
    }

    /** The run once this attempt is running. */
    JsonNode awaitRunning(String id, int attempt) {
        return awaitRun(
                id,
                run -> run.path("status").asText().equals("RUNNING")
                        && run.path("attempt").asInt() == attempt);
    }

    /** The ended run. */
    JsonNode awaitEnd(String id) {
        return awaitRun(id, run -> TERMINAL.contains(run.path("status").asText()));
    }

    private JsonNode awaitRun(String id, Predicate<JsonNode> wanted) {
        return await("run " + id)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .failFast("the node is gone", () -> !isAlive())
                .until(() -> run(id), wanted);
    }

    /** The run's events, oldest first. */
    JsonNode events(String id) throws IOException {
        return answered(() -> api.events(id)).path("events");
    }

    /** Their types. */
    List<String> history(String id) throws IOException {
        return StreamSupport.stream(events(id).spliterator(), false)
                .map(event -> event.path("type").asText())
                .toList();
    }

    /** The types of the administrative acts of these types that are on record, the oldest first. */
    List<String> acts(String... types) throws IOException, InterruptedException {
        JsonNode page = get("/v1/audit/events?order=oldest&type=" + String.join("&type=", types))
                .body();
        return StreamSupport.stream(page.path("events").spliterator(), false)
                .map(event -> event.path("type").asText())
                .toList();
    }

    /** The run's output so far. */
    String printed(String id) throws IOException, InterruptedException {
        try (InputStream output = open("/v1/runs/" + id + "/output", "application/octet-stream")) {
            return new String(output.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    void awaitPrinted(String id, String text) {
        await(id + " prints " + text)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> printed(id).contains(text));
    }

    /** The body of an answer, as a stream. */
    InputStream open(String path, String accept) throws IOException, InterruptedException {
        var response = client.send(request(path).header("Accept", accept).build(), BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        return response.body();
    }

    /** Sends a request unchanged, and returns the raw head and body of the answer. */
    byte[] exchange(HttpRequest.Builder request) throws IOException, InterruptedException {
        var response = client.send(request.build(), BodyHandlers.ofByteArray());
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        answer.writeBytes(
                (response.statusCode() + " " + response.headers().map() + "\n").getBytes(StandardCharsets.UTF_8));
        answer.writeBytes(response.body());
        return answer.toByteArray();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri.resolve(path)).timeout(PATIENCE).header("Authorization", "Bearer " + token);
    }

    private Answer answer(HttpRequest.Builder request) throws IOException, InterruptedException {
        var response = client.send(request.build(), BodyHandlers.ofByteArray());
        return new Answer(
                response.statusCode(),
                response.headers().firstValue("Content-Type").orElse(""),
                ApiJson.parse(response.body()));
    }

    // ---- an operator's view

    /** A scan that counts its sandboxes and their processes from outside, from now on. */
    LeftoverScan census() throws IOException {
        return new LeftoverScan(environment, data.installation());
    }

    /** Its log and its output. */
    String log() {
        try {
            return Files.readString(errors);
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }

    /** The files of its output and its log. */
    List<Path> said() {
        return List.of(output, errors);
    }

    Path temporary() {
        return temporary;
    }

    long pid() {
        return process.pid();
    }

    /** Writes the reachable objects of its heap to a new file. */
    void dumpHeap(Path file) throws Exception {
        Commands.run(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid()),
                "GC.heap_dump",
                file.toString());
    }

    /** Its temporary files. */
    List<Path> temporaryFiles() throws IOException {
        try (var files = Files.list(temporary)) {
            return files.toList();
        }
    }

    /** Its child processes and their descendants. */
    List<ProcessHandle> children() {
        return process.descendants().toList();
    }

    /** The process that starts its sandboxes, and kills them when the node ends. */
    ProcessHandle launcher() {
        return process.children()
                .filter(child -> child.info().command().orElse("").contains("vivarium-launch"))
                .findFirst()
                .orElseThrow();
    }

    /** The main process of its store. */
    ProcessHandle store() {
        return process.children()
                .filter(child -> child.info().command().orElse("").contains("postgres"))
                .findFirst()
                .orElseThrow();
    }

    long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(0);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    // ---- harm

    /** SIGKILL; returns when it is dead. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Sends a signal, such as TERM. */
    void signal(String name) throws IOException, InterruptedException {
        Commands.run("kill", "-s", name, Long.toString(process.pid()));
    }

    /** Its exit code, once it has ended. */
    int awaitExit(Duration atMost) throws InterruptedException {
        assertThat(process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS))
                .as("the node ended within %s: %s", atMost, log())
                .isTrue();
        return process.exitValue();
    }

    /** Stops a node whose runs have ended, as an operator would; returns the exit code. */
    int stop() throws IOException, InterruptedException {
        signal("TERM");
        return awaitExit(PATIENCE);
    }

    @Override
    public void close() {
        kill();
        if (Files.exists(errors)) {
            String said = log();
            System.out.println("What the node on " + data.path() + " said:\n"
                    + said.substring(Math.max(0, said.length() - PRINTED_CHARS_MAX)));
        }
        try {
            DataDirectory.delete(temporary);
            Files.deleteIfExists(errors);
            Files.deleteIfExists(output);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
