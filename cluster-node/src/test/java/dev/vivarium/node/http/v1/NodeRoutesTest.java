package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.api.Health;
import java.io.ByteArrayInputStream;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeRoutesTest {
    private final TestApi api = new TestApi("request-timeout = 1s, body-timeout = 500ms");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void aNodeThatWorksIsAliveAndReady() {
        assertThat(api.get("/health/alive").body()).isEqualTo("{\"status\":\"UP\",\"checks\":[]}");
        assertThat(api.get("/health/ready").body())
                .isEqualTo(
                        "{\"status\":\"UP\",\"checks\":[{\"name\":\"store\",\"status\":\"UP\",\"detail\":\"answers\"}]}");
    }

    @Test
    void theNodesAreListedWithTheirCapacity() {
        assertThat(api.get("/v1/nodes").body())
                .isEqualTo(
                        "{\"nodes\":[{\"name\":\"node-1\",\"address\":\"127.0.0.1:25520\",\"intake\":\"OPEN\","
                                + "\"capacity\":{\"runs\":9,\"memoryBytes\":4096,\"millicores\":null,\"processes\":1000,\"openFiles\":90000,\"diskBytes\":0},"
                                + "\"taken\":{\"runs\":1,\"memoryBytes\":1024,\"millicores\":500,\"processes\":950,\"openFiles\":85000,\"diskBytes\":0},"
                                + "\"waiting\":2,\"waitingMax\":40,\"shards\":7,"
                                + "\"pool\":{\"waiting\":3,\"ceiling\":32,\"warm\":17,\"cold\":5},\"scarce\":[\"PROCESSES\",\"OPEN_FILES\"]}]}");
    }

    @Test
    void aNodeWithoutItsStoreReportsNotReady() {
        api.readiness = CompletableFuture.completedStage(List.of(
                new Health.Check("store", Health.Status.DOWN, "does not answer"),
                new Health.Check("engine", Health.Status.UP, "answers")));

        HttpResponse<String> answer = api.get("/health/ready");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(TestApi.json(answer).path("errors").findValuesAsText("field"))
                .containsExactly("store");
    }

    @Test
    void aFailedReadinessCheckMeansNotReady() {
        api.readiness = CompletableFuture.failedStage(new IllegalStateException("secret detail"));

        HttpResponse<String> answer = api.get("/health/ready");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).doesNotContain("secret detail");
    }

    @Test
    void aRequestWithoutATimelyAnswerIsAProblem() {
        api.readiness = new CompletableFuture<>();

        HttpResponse<String> answer = api.get("/health/ready");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/timeout");
        assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    }

    @Test
    void metricsAreInThePrometheusFormat() {
        api.get("/health/alive");

        HttpResponse<String> answer = api.get("/metrics");

        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain");
        assertThat(answer.body())
                .contains("vivarium_http_responses_total{method=\"GET\",status=\"200\"} 1.0")
                .contains("vivarium_http_followers 0.0");
    }

    @Test
    void theDocumentIsServedAsItIs() {
        HttpResponse<String> answer = api.get("/openapi.yaml");

        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("application/yaml");
        assertThat(answer.body()).isEqualTo(OpenApiDocument.TEXT);
    }

    @Test
    void theDocumentIsCompressedAndNotSentAgainToThoseThatHaveIt() throws Exception {
        String plain = tag(api.get("/openapi.yaml"));
        HttpResponse<byte[]> zipped = api.client.send(
                api.request("/openapi.yaml")
                        .header("Accept-Encoding", "br, gzip;q=0.5")
                        .build(),
                BodyHandlers.ofByteArray());

        assertThat(new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes())
                .isEqualTo(OpenApiDocument.TEXT.getBytes(StandardCharsets.UTF_8));
        assertThat(zipped.body()).hasSizeLessThan(OpenApiDocument.TEXT.length() / 3);
        HttpResponse<String> again = api.get("/openapi.yaml", "If-None-Match", "\"other\", W/" + plain);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(tag(again)).isEqualTo(plain).isNotEqualTo(tag(zipped));
        assertThat(api.get("/openapi.yaml", "Accept-Encoding", "gzip;q=0").body())
                .isEqualTo(OpenApiDocument.TEXT);
        assertThat(api.get("/openapi.yaml", "If-None-Match", "\"other\"").statusCode())
                .isEqualTo(200);
    }

    private static String tag(HttpResponse<?> answer) {
        return answer.headers().firstValue("ETag").orElseThrow();
    }
}
