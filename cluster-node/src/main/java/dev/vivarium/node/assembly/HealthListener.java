package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.http.server.HealthEndpoint;
import dev.vivarium.node.http.server.HttpServer;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.Readiness;
import dev.vivarium.protocol.access.Authentication;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Health on a port of its own, where no client of the API has a connection: supervisors get their answer whatever the API is
 * busy with. In clear text, since it tells nothing but whether the node works.
 */
final class HealthListener {
    private static final String BLOCK = "vivarium.http";
    private static final int CONNECTIONS_MAX = 64;
    private static final Duration BIND_MAX = Duration.ofSeconds(10);

    private HealthListener() {}

    /**
     * Starts it, where it is configured.
     *
     * @throws NodeStartException when its address is in use or not available
     */
    static Optional<HttpServer> start(NodeCore core, NodeOptions options, Readiness readiness)
            throws NodeStartException {
        Config http = core.config().getConfig(BLOCK);
        int port = http.getInt("health.port");
        if (port == 0) {
            return Optional.empty();
        }
        String host = http.getString("health.host").isEmpty() ? options.host() : http.getString("health.host");
        HttpSettings settings = HttpSettings.from(ConfigFactory.parseMap(
                        Map.of("host", host, "port", port, "max-connections", CONNECTIONS_MAX, "max-followers", 1))
                .withFallback(http));
        try {
            return Optional.of(HttpServer.start(
                            core.system(),
                            settings,
                            Optional.empty(),
                            HealthEndpoint.health(readiness),
                            (credential, from) -> CompletableFuture.completedStage(
                                    new Authentication.Undecided("Nothing here needs a caller to be known.")),
                            // The metrics of the API are about its own connections and answers.
                            new SimpleMeterRegistry(),
                            Clock.systemUTC())
                    .toCompletableFuture()
                    .get(BIND_MAX.toSeconds(), TimeUnit.SECONDS));
        } catch (ExecutionException | TimeoutException failed) {
            throw new NodeStartException(
                    "Health cannot be answered on " + host + ":" + port + ". Is another program using it, or does the"
                            + " address not belong to this machine? Change vivarium.http.health.port or host.",
                    failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NodeStartException("Interrupted while starting the listener of health.", interrupted);
        }
    }
}
