package dev.vivarium.node.http;

import dev.vivarium.node.run.Runs;
import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.api.NodeList;
import dev.vivarium.protocol.api.Problem.FieldError;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The nodes, and what the ecosystem asks of every service: health, metrics, and the description of the API. */
final class NodeEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(NodeEndpoint.class);
    private static final Duration READINESS_TIMEOUT = Duration.ofSeconds(3);
    private static final ContentType METRICS = ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8");
    private static final ContentType YAML = ContentTypes.parse("application/yaml");

    private final Runs runs;
    private final Readiness readiness;
    private final PrometheusMeterRegistry metrics;
    private final ByteString openApi;

    NodeEndpoint(Runs runs, Readiness readiness, PrometheusMeterRegistry metrics) {
        this.runs = runs;
        this.readiness = readiness;
        this.metrics = metrics;
        this.openApi = resource("/openapi.yaml");
    }

    HttpResponse nodes() {
        return Answers.json(200, new NodeList(runs.nodes()));
    }

    HttpResponse alive() {
        return Answers.json(200, Health.of(List.of()));
    }

    CompletionStage<HttpResponse> ready() {
        return readiness
                .look()
                .thenApply(Health::of)
                .toCompletableFuture()
                .orTimeout(READINESS_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .handle((health, failure) -> {
                    if (failure != null) {
                        LOG.warn("Readiness is unknown: {}", failure.toString());
                        return notReady(List.of(new FieldError("readiness", "could not be told in time")));
                    }
                    return health.status() == Health.Status.UP ? Answers.json(200, health) : notReady(causes(health));
                });
    }

    private static List<FieldError> causes(Health health) {
        return health.checks().stream()
                .filter(check -> check.status() == Health.Status.DOWN)
                .map(check -> new FieldError(check.name(), check.detail()))
                .toList();
    }

    private static HttpResponse notReady(List<FieldError> causes) {
        return Answers.problem(ProblemType.NOT_READY, "What errors names does not work.", causes);
    }

    HttpResponse metrics() {
        return HttpResponse.create().withEntity(HttpEntities.create(METRICS, ByteString.fromString(metrics.scrape())));
    }

    HttpResponse openApi() {
        return HttpResponse.create().withEntity(HttpEntities.create(YAML, openApi));
    }

    private static ByteString resource(String name) {
        try (InputStream stream = NodeEndpoint.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("The node was built without " + name + ".");
            }
            return ByteString.fromArrayUnsafe(stream.readAllBytes());
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
