package dev.vivarium.node.http.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.stream.javadsl.BidiFlow;
import org.apache.pekko.stream.javadsl.Flow;

/** The bound server. */
public final class HttpServer {
    private static final Duration LINGER_MAX = Duration.ofSeconds(10);

    private final ServerBinding binding;
    private final IntFunction<LocalConnections> local;

    /** @param local serves this many connections beside those of the port */
    private HttpServer(ServerBinding binding, IntFunction<LocalConnections> local) {
        this.binding = binding;
        this.local = local;
    }

    /**
     * Binds. The stage fails with {@link org.apache.pekko.stream.BindFailedException}, or a cause of it, when the
     * address is in use or not available.
     *
     * @param encryption how it proves itself and encrypts; empty for an API in clear text
     * @param operations the operations; of several matching paths the first one is used
     * @param authenticator tells whose a credential is
     * @param metrics where answers are counted
     */
    public static CompletionStage<HttpServer> start(
            ActorSystem<?> system,
            HttpSettings settings,
            Optional<Encryption> encryption,
            List<Operation> operations,
            Authenticator authenticator,
            MeterRegistry metrics,
            Clock clock) {
        OpenConnections connections = new OpenConnections(settings.maxConnections());
        BrowserGuard guard = new BrowserGuard(
                settings, () -> encryption.map(Encryption::names).orElse(Set.of()));
        Router router = new Router(system, settings, operations, guard, authenticator, metrics, clock);
        Flow<HttpRequest, HttpResponse, NotUsed> api = router.route().flow(system);
        ServerSettings server = serverSettings(system.settings().config(), settings);
        IntFunction<LocalConnections> local =
                max -> new LocalConnections(() -> Http.get(system).serverLayer(server), api, settings, max);
        ServerBuilder plain = Http.get(system).newServerAt(settings.host(), settings.port());
        return encryption
                .map(used -> plain.enableHttps(ConnectionContext.httpsServer(used::engine)))
                .orElse(plain)
                .withSettings(server)
                .bindFlow(BidiFlow.fromGraph(new RequestWait(settings.requestWait(), connections))
                        .join(api))
                .thenApply(binding -> new HttpServer(binding, local));
    }

    private static ServerSettings serverSettings(Config system, HttpSettings settings) {
        Config ours = ConfigFactory.parseMap(Map.of(
                "pekko.http.server.remote-address-attribute",
                "on",
                "pekko.http.server.server-header",
                "vivarium",
                "pekko.http.server.request-timeout",
                millis(settings.requestTimeout()),
                "pekko.http.server.idle-timeout",
                millis(settings.idleTimeout()),
                "pekko.http.server.max-connections",
                settings.maxConnections() + OpenConnections.RESERVE,
                // How long the bytes of a connection may still come after its stream has been closed: also the time
                // after
                // which a connection is closed that has not even shaken hands for TLS.
                "pekko.http.server.linger-timeout",
                millis(settings.requestWait().compareTo(LINGER_MAX) < 0 ? settings.requestWait() : LINGER_MAX),
                // For the certificates of callers.
                "pekko.http.server.parsing.ssl-session-attribute",
                "on",
                "pekko.http.server.socket-options.tcp-keep-alive",
                "on",
                "pekko.http.server.parsing.error-handler",
                UnreadableRequests.class.getName(),
                // Clients' malformed headers are not for the operator's log.
                "pekko.http.server.parsing.illegal-header-warnings",
                "off"));
        return ServerSettings.create(ours.withFallback(system))
                .withTerminationDeadlineExceededResponse(StandardHeaders.on(Answers.retryLater(
                        ProblemType.DRAINING,
                        "The node stopped before it could answer; the operation may or may not have been done.",
                        settings.retryAfter())));
    }

    private static String millis(Duration duration) {
        return duration.toMillis() + "ms";
    }

    /** The address it listens on, with the actual port if any free one was requested. */
    public InetSocketAddress address() {
        return binding.localAddress();
    }

    /**
     * Serves connections that are accepted elsewhere on this machine.
     *
     * @param max how many there may be at once
     */
    public LocalConnections localConnections(int max) {
        return local.apply(max);
    }

    /** Accepts no new connections; open ones continue. */
    public CompletionStage<Done> unbind() {
        return binding.unbind();
    }

    /** Accepts no new connections, lets open requests finish within the grace period, and then closes them. */
    public CompletionStage<Done> stop(Duration grace) {
        return binding.terminate(grace).thenApply(terminated -> Done.getInstance());
    }
}
