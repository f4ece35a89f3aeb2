package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A node's HTTP API, as any client uses it. Safe for use by several threads. */
public final class VivariumApi {
    private static final Duration ANSWER_MAX = Duration.ofMinutes(2);
    private static final long POLL_MILLIS = 50;

    private final URI node;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public VivariumApi(URI node) {
        this.node = node;
    }

    /** Submits a run and returns once it is acknowledged. */
    public RunId submit(Workload workload) throws IOException {
        return submit(workload, Map.of());
    }

    /** The same with limits beside those of the workload. */
    public RunId submit(Workload workload, Map<String, String> limits) throws IOException {
        return submit(workload.submission(limits));
    }

    /** The same in an isolation class. */
    public RunId submit(Workload workload, Isolation isolation) throws IOException {
        return submit(workload.submission().put("isolation", isolation.name().toLowerCase(Locale.ROOT)));
    }

    /** A submission as it stands. */
    public RunId submit(ObjectNode submission) throws IOException {
        HttpRequest request = to("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(Json.bytes(submission)))
                .build();
        HttpResponse<byte[]> answer = send(request, BodyHandlers.ofByteArray());
        require(202, answer.statusCode(), request, answer.body());
        return new RunId(Json.parse(answer.body()).path("id").asText());
    }

    /** What the run prints on its standard output, until the run has ended. The caller closes it. */
    public InputStream followOutput(RunId run) throws IOException {
        HttpRequest request = to("/v1/runs/" + run + "/output?stream=stdout&follow=true")
                .GET()
                .build();
        HttpResponse<InputStream> answer = send(request, BodyHandlers.ofInputStream());
        if (answer.statusCode() != 200) {
            try (InputStream body = answer.body()) {
                require(200, answer.statusCode(), request, body.readAllBytes());
            }
        }
        return answer.body();
    }

    /** Asks the run to stop. */
    public void cancel(RunId run) throws IOException {
        HttpRequest request =
                to("/v1/runs/" + run + "/cancel").POST(BodyPublishers.noBody()).build();
        HttpResponse<byte[]> answer = send(request, BodyHandlers.ofByteArray());
        require(202, answer.statusCode(), request, answer.body());
    }

    public RunStatus status(RunId run) throws IOException {
        return RunStatus.valueOf(Json.parse(get("/v1/runs/" + run, "application/json"))
                .path("status")
                .asText());
    }

    /** Waits until the run's agent runs. */
    public void awaitRunning(RunId run) throws IOException {
        Instant latest = Instant.now().plus(ANSWER_MAX);
        for (RunStatus status = status(run); status != RunStatus.RUNNING; status = status(run)) {
            if (status.isTerminal() || Instant.now().isAfter(latest)) {
                throw new IOException("Run " + run + " is " + status + " and not RUNNING.");
            }
            pause();
        }
    }

    /** Waits until the run has ended, and tells how: its status, and the reason if it has one. */
    public String awaitEnd(RunId run) throws IOException {
        Instant latest = Instant.now().plus(ANSWER_MAX);
        while (Instant.now().isBefore(latest)) {
            JsonNode view = Json.parse(get("/v1/runs/" + run, "application/json"));
            RunStatus status = RunStatus.valueOf(view.path("status").asText());
            if (status.isTerminal()) {
                return view.path("reason").isTextual()
                        ? status + " " + view.path("reason").asText()
                        : status.toString();
            }
            pause();
        }
        throw new IOException("Run " + run + " has not ended in " + ANSWER_MAX.toSeconds() + " s.");
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /** When each kind of event first happened to the run, by the node's clock. */
    public Map<String, Instant> events(RunId run) throws IOException {
        Map<String, Instant> times = new LinkedHashMap<>();
        for (JsonNode event : Json.parse(get("/v1/runs/" + run + "/events", "application/json"))
                .path("events")) {
            times.putIfAbsent(
                    event.path("type").asText(), Instant.parse(event.path("at").asText()));
        }
        return times;
    }

    /** When the node received the first piece of the run's output, by its clock. */
    public Optional<Instant> firstOutput(RunId run) throws IOException {
        String lines =
                new String(get("/v1/runs/" + run + "/output", "application/x-ndjson"), StandardCharsets.UTF_8).strip();
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        byte[] first = lines.lines().findFirst().orElseThrow().getBytes(StandardCharsets.UTF_8);
        return Optional.of(Instant.parse(Json.parse(first).path("time").asText()));
    }

    private byte[] get(String path, String accept) throws IOException {
        HttpRequest request = to(path).header("Accept", accept).GET().build();
        HttpResponse<byte[]> answer = send(request, BodyHandlers.ofByteArray());
        require(200, answer.statusCode(), request, answer.body());
        return answer.body();
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(node.resolve(path)).timeout(ANSWER_MAX);
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) throws IOException {
        try {
            return client.send(request, handler);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static void require(int wanted, int status, HttpRequest request, byte[] body) throws IOException {
        if (status != wanted) {
            throw new IOException("The node answers " + status + " to " + request.method() + " " + request.uri() + ": "
                    + new String(body, StandardCharsets.UTF_8).strip());
        }
    }
}
