package dev.vivarium.node.http;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.atlassian.oai.validator.report.ValidationReport;
import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.doubles.InMemoryVault;
import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.Usage;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The API, bound to a free port, over runs that the test moves by hand. Every plain exchange is checked against the
 * OpenAPI document on the way.
 */
final class TestApi implements AutoCloseable {
    static final String UNKNOWN_RUN = "01jd4h5s2m8x7k9q3v6w0t1y2z";

    private static final OpenApiInteractionValidator DOCUMENT =
            OpenApiInteractionValidator.createForInlineApiSpecification(document())
                    .build();

    final InMemoryRuns runs = new InMemoryRuns();
    final InMemoryVault vault = new InMemoryVault();
    final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final HttpClient client = HttpClient.newHttpClient();
    CompletionStage<List<Health.Check>> readiness =
            CompletableFuture.completedStage(List.of(new Health.Check("store", Health.Status.UP, "answers")));

    private final ActorSystem<Void> system = ActorSystem.create(
            Behaviors.empty(),
            "api",
            ConfigFactory.parseString("pekko.loglevel = WARNING").withFallback(ConfigFactory.load()));
    private final HttpServer server;

    TestApi(String settings) {
        HttpSettings http = HttpSettings.from(ConfigFactory.parseString("port = 0\n" + settings)
                .withFallback(Samples.SHIPPED.getConfig("http"))
                .resolve());
        HttpApi api = new HttpApi(
                system,
                http,
                new HttpApi.Parts(
                        Samples.reader(Isolation.CONTAINER),
                        new Admission(runs, runs, vault, ForkJoinPool.commonPool()),
                        runs,
                        runs,
                        runs,
                        runs,
                        () -> readiness,
                        metrics));
        server = HttpServer.start(system, http, api).toCompletableFuture().join();
    }

    static String document() {
        try (InputStream stream = TestApi.class.getResourceAsStream("/openapi.yaml")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Lets every connection see that it goes. */
    HttpServer server() {
        return server;
    }

    int port() {
        return server.address().getPort();
    }

    HttpRequest.Builder request(String pathAndQuery) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port() + pathAndQuery))
                .timeout(Duration.ofSeconds(20));
    }

    HttpResponse<String> get(String pathAndQuery, String... headers) {
        HttpRequest.Builder request = request(pathAndQuery);
        return exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    HttpResponse<String> post(String path, String body, String... headers) {
        HttpRequest.Builder request =
                request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
        return exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    /** Sends a request whose answer the document must describe. */
    HttpResponse<String> exchange(HttpRequest request) {
        HttpResponse<String> response = send(request);
        ValidationReport report = DOCUMENT.validateResponse(
                request.uri().getRawPath(), Request.Method.valueOf(request.method()), simple(response));
        // The validator takes an empty body for none; the output of a run that has printed nothing is empty.
        boolean empty = response.headers()
                .firstValue("Content-Type")
                .filter("application/octet-stream"::equals)
                .isPresent();
        if (report.getMessages().stream()
                .anyMatch(message -> !(empty && message.getKey().equals("validation.response.body.missing")))) {
            throw new AssertionError(request.uri() + " answered " + response.body() + "\n" + report.getMessages());
        }
        return response;
    }

    /** Sends a request that no path of the document describes, or with an answer of HTTP itself. */
    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError(request.uri() + " got no answer", failure);
        }
    }

    private static SimpleResponse simple(HttpResponse<String> response) {
        SimpleResponse.Builder simple = SimpleResponse.Builder.status(response.statusCode());
        response.headers().map().forEach((name, values) -> simple.withHeader(name, values));
        return response.body().isEmpty()
                ? simple.build()
                : simple.withBody(response.body()).build();
    }

    /** What is wrong with a request, by the document. */
    static ValidationReport requestReport(HttpRequest request, String body) {
        SimpleRequest.Builder simple =
                new SimpleRequest.Builder(request.method(), request.uri().getPath());
        request.headers().map().forEach((name, values) -> simple.withHeader(name, values));
        if (request.uri().getQuery() != null) {
            for (String pair : request.uri().getQuery().split("&", -1)) {
                String[] parts = pair.split("=", 2);
                simple.withQueryParam(parts[0], parts[1]);
            }
        }
        return DOCUMENT.validateRequest(
                body.isEmpty() ? simple.build() : simple.withBody(body).build());
    }

    /** Sends bytes as they are and reads all that comes back until the server or the client closes. */
    String raw(String request) {
        try (Socket socket = new Socket("localhost", port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static JsonNode json(HttpResponse<String> response) {
        return json(response.body());
    }

    static JsonNode json(String text) {
        try {
            return ApiJson.mapper().readTree(text);
        } catch (IOException malformed) {
            throw new UncheckedIOException(text, malformed);
        }
    }

    /** A run that was submitted over the API. */
    RunId submitted() {
        return new RunId(json(post("/v1/runs", Samples.SMALL_BODY)).path("id").asText());
    }

    /** A run whose agent works. */
    RunId running() {
        RunId run = submitted();
        runs.happen(run, new RunEvent.AttemptStarting(InMemoryRuns.NOON, "node-1", 1));
        runs.happen(run, new RunEvent.AttemptStarted(InMemoryRuns.NOON, "node-1", 1, "sandbox-1"));
        return run;
    }

    void succeed(RunId run) {
        runs.happen(run, new RunEvent.RunSucceeded(InMemoryRuns.NOON, "node-1", 1, Usage.NONE));
    }

    double followers() {
        return metrics.get("vivarium.http.followers").gauge().value();
    }

    @Override
    public void close() {
        server.stop(Duration.ofMillis(100)).toCompletableFuture().join();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
