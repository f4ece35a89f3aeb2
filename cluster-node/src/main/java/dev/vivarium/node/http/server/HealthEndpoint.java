package dev.vivarium.node.http.server;

import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.api.Problem.FieldError;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The conventional operations of every service: health and metrics. They are open to everyone who reaches the node, since
 * those who ask for them, supervisors and scrapers, have no token; they name no tenant and no run.
 */
public final class HealthEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(HealthEndpoint.class);
    private static final String ALIVE = "/health/alive";
    private static final String READY = "/health/ready";
    private static final String METRICS_PATH = "/metrics";
    private static final Set<String> PATHS = Set.of(ALIVE, READY, METRICS_PATH);
    private static final Duration READINESS_TIMEOUT = Duration.ofSeconds(3);

    private final Readiness readiness;

    private HealthEndpoint(Readiness readiness) {
        this.readiness = readiness;
    }

    /**
     * The operations of health and metrics.
     *
     * @param readiness checks whether the node is ready
     * @param metrics the registry behind {@code /metrics}
     */
    public static List<Operation> operations(Readiness readiness, PrometheusMeterRegistry metrics) {
        Endpoint scrape = Endpoint.immediate(() -> Answers.metrics(metrics.scrape()));
        return Stream.concat(
                        health(readiness).stream(), Stream.of(Operation.open(HttpMethods.GET, METRICS_PATH, scrape)))
                .toList();
    }

    /** Those of health alone, for a listener of their own. */
    public static List<Operation> health(Readiness readiness) {
        HealthEndpoint health = new HealthEndpoint(readiness);
        return List.of(
                Operation.open(HttpMethods.GET, ALIVE, Endpoint.immediate(HealthEndpoint::alive)),
                Operation.open(HttpMethods.GET, READY, exchange -> health.ready()));
    }

    /** Whether the request is for one of them. */
    static boolean isAskedBy(HttpRequest request) {
        return PATHS.contains(request.getUri().path());
    }

    /** Whether it is one that supervisors ask for; metrics cost more. */
    static boolean isOf(Operation operation) {
        String path = operation.path().toString();
        return path.equals(ALIVE) || path.equals(READY);
    }

    private static HttpResponse alive() {
        return Answers.json(200, Health.of(List.of()));
    }

    private CompletionStage<HttpResponse> ready() {
        return readiness
                .look()
                .thenApply(Health::of)
                .toCompletableFuture()
                .orTimeout(READINESS_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .handle((health, failure) -> {
                    if (failure != null) {
                        LOG.warn("Readiness is unknown: {}", failure.toString());
                        return notReady(List.of(new FieldError("readiness", "could not be determined in time")));
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
}
