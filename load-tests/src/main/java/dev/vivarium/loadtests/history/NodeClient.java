package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.vivarium.protocol.api.SpecView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A client that takes every answer for what it is, and no answer too. Safe for use by several threads. */
final class NodeClient {
    private static final Duration CONNECT_MAX = Duration.ofSeconds(3);
    /** Longer than a node lets a submission take. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(15);

    private static final JsonMapper JSON = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new JavaTimeModule())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_MAX)
            .build();
    private final URI node;

    NodeClient(URI node) {
        this.node = node;
    }

    /** An answer: its status and its body, JSON or not. */
    private record Answer(int status, String body) {
        JsonNode json() throws IOException {
            return JSON.readTree(body);
        }
    }

    /** What there is to submit of a command that needs no network; the rest is as the node has it by default. */
    static ObjectNode submission(String image, String... command) {
        ObjectNode body = JSON.createObjectNode().put("image", image);
        ArrayNode words = body.putArray("command");
        Arrays.stream(command).forEach(words::add);
        body.putObject("egress").put("mode", "none");
        return body;
    }

    Heard.Told submit(ObjectNode submission, String key) throws InterruptedIOException {
        return told(to("/v1/runs")
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(BodyPublishers.ofString(submission.toString())));
    }

    /** A submission that is new each time. */
    Heard.Told submit(ObjectNode submission) throws InterruptedIOException {
        return told(to("/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(submission.toString())));
    }

    /** A metric that has no labels, by its name as Prometheus shows it. */
    double metric(String name) throws IOException {
        return get("/metrics")
                .body
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .map(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new IOException(node + " has no metric " + name + "."));
    }

    Heard.Told cancel(String run) throws InterruptedIOException {
        return told(to("/v1/runs/" + run + "/cancel").POST(BodyPublishers.noBody()));
    }

    private Heard.Told told(HttpRequest.Builder request) throws InterruptedIOException {
        try {
            Answer answer = send(request);
            return answer.status == 202
                    ? new Heard.Accepted(answer.json().path("id").asText())
                    : refused(answer);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException silence) {
            return silence(silence);
        }
    }

    Heard.Told status(String run) throws InterruptedIOException {
        try {
            Answer answer = send(to("/v1/runs/" + run));
            return answer.status == 200
                    ? new Heard.Stood(
                            run,
                            RunStatus.valueOf(answer.json().path("status").asText()),
                            answer.json().path("attempt").asInt())
                    : refused(answer);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException silence) {
            return silence(silence);
        }
    }

    /** The newest event of a run. */
    Heard.Told newest(String run) throws InterruptedIOException {
        try {
            Answer answer = send(to("/v1/runs/" + run + "/events"));
            if (answer.status != 200) {
                return refused(answer);
            }
            JsonNode events = answer.json().path("events");
            JsonNode last = events.path(events.size() - 1);
            return new Heard.Reached(
                    run, last.path("seq").asLong(), last.path("hash").asText());
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException silence) {
            return silence(silence);
        }
    }

    private static Heard.Refused refused(Answer answer) throws IOException {
        String type = answer.json().path("type").asText();
        return new Heard.Refused(answer.status, type.substring(type.lastIndexOf('/') + 1));
    }

    private static Heard.Silence silence(IOException why) {
        return new Heard.Silence(why.toString());
    }

    boolean isReady() throws InterruptedIOException {
        try {
            return send(to("/health/ready")).status == 200;
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException away) {
            return false;
        }
    }

    /** The status of all runs, by run. */
    Map<String, RunStatus> list() throws IOException {
        Map<String, RunStatus> runs = new TreeMap<>();
        Optional<String> cursor = Optional.empty();
        do {
            JsonNode page = get("/v1/runs?limit=100"
                            + cursor.map(from -> "&cursor=" + from).orElse(""))
                    .json();
            page.path("runs")
                    .forEach(run -> runs.put(
                            run.path("id").asText(),
                            RunStatus.valueOf(run.path("status").asText())));
            cursor = page.path("next").isTextual()
                    ? Optional.of(page.path("next").asText())
                    : Optional.empty();
        } while (cursor.isPresent());
        return runs;
    }

    /** All that is kept of a run; empty when there is no such run. */
    Optional<Journal> journal(String run, Optional<RunStatus> listed) throws IOException {
        Answer shown = send(to("/v1/runs/" + run));
        if (shown.status == 404) {
            return Optional.empty();
        }
        List<Journal.Entry> entries = new ArrayList<>();
        for (JsonNode event : get("/v1/runs/" + run + "/events").json().path("events")) {
            entries.add(new Journal.Entry(
                    event.path("seq").asLong(),
                    event(event.path("data")),
                    event.path("previousHash").asText(),
                    event.path("hash").asText()));
        }
        String output =
                send(to("/v1/runs/" + run + "/output?stream=stdout").header("Accept", "application/octet-stream")).body;
        return Optional.of(new Journal(
                run,
                entries,
                RunStatus.valueOf(required(shown).json().path("status").asText()),
                listed,
                output));
    }

    /** The API shows a submission without what is secret; the rest is what the machine of states needs. */
    private static RunEvent event(JsonNode data) throws IOException {
        if (!data.path("type").asText().equals("RunSubmitted")) {
            return JSON.treeToValue(data, RunEvent.class);
        }
        SpecView spec = JSON.treeToValue(data.path("spec"), SpecView.class);
        return new RunEvent.RunSubmitted(
                Instant.parse(data.path("at").asText()),
                data.path("node").asText(),
                new RunId(data.path("runId").asText()),
                new RunSpec(
                        spec.image(),
                        spec.command(),
                        spec.env(),
                        SealedSecrets.NONE,
                        spec.workdir(),
                        Map.of(),
                        spec.limits(),
                        spec.egress(),
                        spec.isolation(),
                        spec.onNodeLoss(),
                        spec.maxAttempts(),
                        spec.labels()),
                Blob.EMPTY);
    }

    private Answer get(String path) throws IOException {
        return required(send(to(path)));
    }

    private Answer required(Answer answer) throws IOException {
        if (answer.status != 200) {
            throw new IOException(node + " answers " + answer.status + ": " + answer.body.strip());
        }
        return answer;
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(node.resolve(path)).timeout(ANSWER_MAX);
    }

    private Answer send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.body());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
