package dev.vivarium.node.cli.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.cli.client.ApiJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Asks a node how it is, once, without patience: one that does not answer in time is not well.
 *
 * @param api where it answers
 */
public record NodeProbe(URI api) {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(4);
    private static final int PAGE = 100;
    private static final int PAGES_MAX = 100;
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(ANSWER_MAX)
            .build();

    /** How it is. */
    public enum Health {
        /** It does its work. */
        READY,
        /** It answers, and cannot do its work now. */
        ALIVE,
        /** It does not answer. */
        SILENT
    }

    public Health health() throws InterruptedException {
        return get("/health/ready")
                .map(answer -> answer.statusCode() == 200 ? Health.READY : Health.ALIVE)
                .orElse(Health.SILENT);
    }

    /** The live runs of the whole cluster, counted by node; empty when it cannot tell. */
    public Optional<Map<String, Integer>> liveRuns() throws InterruptedException {
        Map<String, Integer> runs = new TreeMap<>();
        String query = "/v1/runs?status=SUBMITTED,QUEUED,STARTING,RUNNING&limit=" + PAGE;
        String next = "";
        for (int page = 0; page < PAGES_MAX; page++) {
            Optional<HttpResponse<byte[]>> answer = get(query + next);
            if (answer.isEmpty() || answer.get().statusCode() != 200) {
                return Optional.empty();
            }
            try {
                JsonNode json = ApiJson.parse(answer.get().body());
                json.path("runs").forEach(run -> runs.merge(run.path("node").asText(""), 1, Integer::sum));
                if (!json.hasNonNull("next")) {
                    return Optional.of(runs);
                }
                next = "&cursor=" + json.path("next").asText();
            } catch (JsonProcessingException garbled) {
                return Optional.empty();
            }
        }
        return Optional.of(runs);
    }

    private Optional<HttpResponse<byte[]>> get(String path) throws InterruptedException {
        try {
            return Optional.of(CLIENT.send(
                    HttpRequest.newBuilder(api.resolve(path))
                            .timeout(ANSWER_MAX)
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray()));
        } catch (IOException silent) {
            return Optional.empty();
        }
    }
}
