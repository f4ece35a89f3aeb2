package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.SpecView;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A client that records every answer as it is, including none. Thread-safe. */
final class NodeClient {
    /** Longer than a node takes for a submission. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(15);

    private final URI node;
    private final ApiClient api;

    NodeClient(URI node, Credentials credentials) {
        this.node = node;
        this.api = new ApiClient(node, credentials, RetryPolicy.NONE, ANSWER_MAX);
    }

    /** The submission of a command that needs no network, otherwise with the node's defaults. */
    static ObjectNode submission(String image, String... command) {
        ObjectNode body = ApiJson.object().put("image", image);
        ArrayNode words = body.putArray("command");
        Arrays.stream(command).forEach(words::add);
        body.putObject("egress").put("mode", "none");
        return body;
    }

    Exchange.Answer submit(ObjectNode submission, String key) throws InterruptedIOException {
        return answer(() -> accepted(api.submit(submission, key)));
    }

    /** Submits with a new idempotency key. */
    Exchange.Answer submit(ObjectNode submission) throws InterruptedIOException {
        return answer(() -> accepted(api.submit(submission)));
    }

    Exchange.Answer cancel(String run) throws InterruptedIOException {
        return answer(() -> accepted(api.cancel(run)));
    }

    Exchange.Answer renew(String run, Duration wallClock) throws InterruptedIOException {
        return answer(() -> {
            api.renew(run, wallClock.toMillis() + "ms");
            return new Exchange.Renewed(run, wallClock);
        });
    }

    private static Exchange.Accepted accepted(JsonNode run) {
        return new Exchange.Accepted(run.path("id").asText());
    }

    Exchange.Answer status(String run) throws InterruptedIOException {
        return answer(() -> {
            JsonNode view = api.run(run);
            return new Exchange.CurrentStatus(
                    run, status(view), view.path("attempt").asInt());
        });
    }

    /** A run's latest event. */
    Exchange.Answer newest(String run) throws InterruptedIOException {
        return answer(() -> {
            JsonNode events = api.events(run).path("events");
            JsonNode last = events.path(events.size() - 1);
            return new Exchange.LatestEvent(
                    run, last.path("seq").asLong(), last.path("hash").asText());
        });
    }

    /** One request. */
    private interface Request<T> {
        T send() throws ApiException, IOException;
    }

    private static Exchange.Answer answer(Request<Exchange.Answer> request) throws InterruptedIOException {
        try {
            return request.send();
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (ApiException.Refused refused) {
            String type = refused.problem().type();
            return new Exchange.Refused(refused.problem().status(), type.substring(type.lastIndexOf('/') + 1));
        } catch (ApiException | IOException silence) {
            return new Exchange.NoAnswer(silence.toString());
        }
    }

    /** A metric without labels, by its Prometheus name. */
    double metric(String name) throws IOException {
        return required(api::metrics)
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .map(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new IOException(node + " has no metric " + name + "."));
    }

    boolean isReady() throws InterruptedIOException {
        return api.health() == ApiClient.Health.READY;
    }

    /** The status of all runs, by run. */
    Map<String, RunStatus> list() throws IOException {
        Map<String, RunStatus> runs = new TreeMap<>();
        Optional<String> cursor = Optional.empty();
        do {
            List<Map.Entry<String, String>> query = new ArrayList<>(List.of(Map.entry("limit", "100")));
            cursor.ifPresent(from -> query.add(Map.entry("cursor", from)));
            JsonNode page = required(() -> api.runs(query));
            page.path("runs").forEach(run -> runs.put(run.path("id").asText(), status(run)));
            cursor = page.path("next").isTextual()
                    ? Optional.of(page.path("next").asText())
                    : Optional.empty();
        } while (cursor.isPresent());
        return runs;
    }

    /** The stored state of a run; empty when there is no such run. */
    Optional<Journal> journal(String run, Optional<RunStatus> listed) throws IOException {
        JsonNode shown;
        try {
            shown = api.run(run);
        } catch (ApiException.Refused refused) {
            if (refused.problem().status() == 404) {
                return Optional.empty();
            }
            throw new IOException(node + ": " + refused.getMessage(), refused);
        } catch (ApiException failed) {
            throw new IOException(node + ": " + failed.getMessage(), failed);
        }
        List<Journal.Entry> entries = new ArrayList<>();
        for (JsonNode event : required(() -> api.events(run)).path("events")) {
            entries.add(new Journal.Entry(
                    event.path("seq").asLong(),
                    event(event.path("data")),
                    event.path("previousHash").asText(),
                    event.path("hash").asText()));
        }
        try (InputStream output = required(() -> api.output(run, Stream.STDOUT, OutputFollower.Mode.SO_FAR))) {
            String printed = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            return Optional.of(new Journal(run, entries, status(shown), listed, printed));
        }
    }

    private static RunStatus status(JsonNode run) {
        return RunStatus.valueOf(run.path("status").asText());
    }

    private <T> T required(Request<T> request) throws IOException {
        try {
            return request.send();
        } catch (ApiException failed) {
            throw new IOException(node + ": " + failed.getMessage(), failed);
        }
    }

    /** The API omits secret parts of a submission; the rest is enough for the state machine. */
    private static RunEvent event(JsonNode data) throws IOException {
        if (!data.path("type").asText().equals("RunSubmitted")) {
            return ApiJson.as(data, RunEvent.class);
        }
        SpecView spec = ApiJson.as(data.path("spec"), SpecView.class);
        return new RunEvent.RunSubmitted(
                Instant.parse(data.path("at").asText()),
                data.path("node").asText(),
                Principal.parse(data.path("by").asText()),
                new RunId(data.path("runId").asText()),
                new RunSpec(
                        spec.image(),
                        spec.command(),
                        spec.env(),
                        SealedSecrets.NONE,
                        Map.of(),
                        spec.workdir(),
                        Map.of(),
                        spec.artifacts(),
                        spec.limits(),
                        spec.warning(),
                        spec.egress(),
                        spec.isolation(),
                        spec.onNodeLoss(),
                        spec.maxAttempts(),
                        spec.labels(),
                        new Tenant(spec.labels().getOrDefault(RunSpec.TENANT_LABEL, Tenant.DEFAULT.name())),
                        spec.webhook()),
                Digest.of(Blob.EMPTY),
                origin(data));
    }

    private static Optional<Origin> origin(JsonNode data) throws IOException {
        JsonNode origin = data.path("origin");
        return origin.isObject() ? Optional.of(ApiJson.as(origin, Origin.class)) : Optional.empty();
    }
}
