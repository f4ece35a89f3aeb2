package dev.vivarium.node.cli.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.client.ApiJson;
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

    /** How many runs have a place on each node of the cluster; empty when it cannot tell. */
    public Optional<Map<String, Integer>> runs() throws InterruptedException {
        Optional<HttpResponse<byte[]>> answer = get("/v1/nodes");
        if (answer.isEmpty() || answer.get().statusCode() != 200) {
            return Optional.empty();
        }
        try {
            Map<String, Integer> runs = new TreeMap<>();
            ApiJson.parse(answer.get().body())
                    .path("nodes")
                    .forEach(node -> runs.put(
                            node.path("name").asText(),
                            node.path("taken").path("runs").asInt()));
            return Optional.of(runs);
        } catch (JsonProcessingException garbled) {
            return Optional.empty();
        }
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
