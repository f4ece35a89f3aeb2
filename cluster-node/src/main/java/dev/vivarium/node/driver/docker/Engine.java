package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.transport.DockerHttpClient;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.guest.ConnectionLoops;
import dev.vivarium.node.driver.guest.GuestConnection;
import dev.vivarium.node.json.PlainJson;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to the engine: negotiates on first use and again after a lost connection, since a restarted engine may
 * have another version. All calls block, have a time limit and throw {@link DriverException} only.
 */
final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final EngineAddress address;
    private final Duration connectTimeout;
    private final Duration responseTimeout;
    private final EngineTimeouts timeouts = new EngineTimeouts();
    private final ConnectionLoops loops = new ConnectionLoops();
    private Optional<Session> session = Optional.empty();

    /** A negotiated session with its connection pool. */
    private record Session(ApiVersion api, EngineFacts facts, DockerHttpClient http, DockerClient client) {}

    Engine(EngineAddress address, Duration connectTimeout, Duration responseTimeout) {
        this.address = address;
        this.connectTimeout = connectTimeout;
        this.responseTimeout = responseTimeout;
    }

    EngineAddress address() {
        return address;
    }

    /**
     * Makes one call.
     *
     * @param doing what it is for, to follow "while": "starting the sandbox"
     */
    <T> T call(String doing, Function<DockerClient, T> call) {
        return call(doing, responseTimeout, call);
    }

    <T> T call(String doing, Duration limit, Function<DockerClient, T> call) {
        return guarded(doing, limit, used -> call.apply(used.client()));
    }

    /** Requests a JSON document that the client library does not model. */
    JsonNode ask(String doing, Duration limit, DockerHttpClient.Request.Method method, String path) {
        return guarded(doing, limit, used -> json(used.http(), method, "/v" + used.api() + path));
    }

    /**
     * Opens the byte stream to a container's standard input and output; must be called before start, so that nothing is
     * lost.
     */
    GuestConnection attach(String containerId) {
        return guarded("opening the channel", responseTimeout, used -> {
            AttachRequest request = new AttachRequest(used.api(), containerId);
            try {
                List<ChannelHandler> handlers = new ArrayList<>();
                address.security().ifPresent(handlers::add);
                handlers.add(request);
                return awaitOpened(request, loops.connect(address.socket(), connectTimeout, handlers));
            } catch (IOException unusable) {
                throw new IllegalStateException(unusable);
            }
        });
    }

    private static GuestConnection awaitOpened(AttachRequest request, Channel connecting) {
        // However the wait ends, no connection leaks.
        CompletionStage<GuestConnection> outcome = request.opened();
        outcome.whenComplete((opened, failure) -> {
            if (failure != null) {
                ChannelFuture unused = connecting.close();
            }
        });
        connecting.closeFuture().addListener(closed -> request.opened()
                .completeExceptionally(new IOException("the engine cannot be connected to")));
        try {
            return request.opened().get();
        } catch (ExecutionException refused) {
            throw new IllegalStateException(refused.getCause());
        } catch (InterruptedException interrupted) {
            request.opened().cancel(false);
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** The engine's facts from the last negotiation. */
    EngineFacts facts() {
        return guarded("asking for its facts", responseTimeout, Session::facts);
    }

    /** Refreshes the engine's facts; its configuration may have been reloaded. */
    EngineFacts refreshFacts() {
        return guarded("asking for its facts", responseTimeout, used -> {
            EngineFacts fresh =
                    EngineFacts.of(json(used.http(), DockerHttpClient.Request.Method.GET, "/v" + used.api() + "/info"));
            replace(used, new Session(used.api(), fresh, used.http(), used.client()));
            return fresh;
        });
    }

    /** The engine's report about itself and the components below it. */
    EngineReport report() {
        return guarded(
                "asking for its versions",
                responseTimeout,
                used -> EngineReport.of(
                        json(used.http(), DockerHttpClient.Request.Method.GET, "/version"),
                        json(used.http(), DockerHttpClient.Request.Method.GET, "/v" + used.api() + "/info"),
                        address.isLocal() ? EngineReport.Place.THIS_MACHINE : EngineReport.Place.ELSEWHERE));
    }

    @Override
    public void close() {
        synchronized (this) {
            session.ifPresent(used -> closeQuietly(used.http()));
            session = Optional.empty();
        }
        timeouts.close();
        loops.close();
    }

    private <T> T guarded(String doing, Duration limit, Function<Session, T> call) {
        Optional<Session> used = Optional.empty();
        try {
            used = Optional.of(session());
            Session current = used.get();
            return timeouts.within(limit, () -> call.apply(current));
        } catch (Exception failure) {
            DriverException translated = EngineFailure.translate(doing, failure);
            if (translated.kind() == DriverException.Kind.ENGINE_UNAVAILABLE) {
                used.ifPresent(this::abandon);
            }
            throw translated;
        }
    }

    private synchronized Session session() throws Exception {
        if (session.isPresent()) {
            return session.get();
        }
        DockerHttpClient http = newHttpClient();
        try {
            Session negotiated = timeouts.within(connectTimeout.multipliedBy(2), () -> negotiate(http));
            session = Optional.of(negotiated);
            return negotiated;
        } catch (Exception failure) {
            closeQuietly(http);
            throw failure;
        }
    }

    private Session negotiate(DockerHttpClient http) {
        JsonNode version = json(http, DockerHttpClient.Request.Method.GET, "/version");
        ApiVersion api = ApiVersion.negotiate(
                version.path("ApiVersion").asText(),
                version.path("MinAPIVersion").asText());
        EngineFacts facts = EngineFacts.of(json(http, DockerHttpClient.Request.Method.GET, "/v" + api + "/info"));
        requireLinux(facts);
        LOG.info(
                "Container engine at {}: version {}, API {}, runtimes {}",
                address.uri(),
                version.path("Version").asText(),
                api,
                facts.runtimes());
        DefaultDockerClientConfig config = DefaultDockerClientConfig.createDefaultConfigBuilder()
                .withDockerHost(address.uri().toString())
                .withApiVersion(api.toString())
                .build();
        return new Session(api, facts, http, DockerClientImpl.getInstance(config, http));
    }

    private static void requireLinux(EngineFacts facts) {
        if (!"linux".equals(facts.operatingSystem())) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "The container engine makes " + facts.operatingSystem()
                            + " containers; Vivarium needs one that makes Linux containers.");
        }
    }

    private DockerHttpClient newHttpClient() {
        ZerodepDockerHttpClient.Builder builder = new ZerodepDockerHttpClient.Builder()
                .dockerHost(address.uri())
                .connectionTimeout(connectTimeout)
                .responseTimeout(responseTimeout);
        address.tls().ifPresent(builder::sslConfig);
        DockerHttpClient pooled = builder.build();
        return address.isLocal() ? new ConnectionPerCall(pooled) : pooled;
    }

    private static JsonNode json(DockerHttpClient http, DockerHttpClient.Request.Method method, String path) {
        DockerHttpClient.Request request = DockerHttpClient.Request.builder()
                .method(method)
                .path(path)
                .putHeader("accept", "application/json")
                .build();
        try (DockerHttpClient.Response response = http.execute(request)) {
            byte[] body = response.getBody().readAllBytes();
            if (response.getStatusCode() / 100 != 2) {
                throw new DockerException(new String(body, StandardCharsets.UTF_8), response.getStatusCode());
            }
            return PlainJson.MAPPER.readTree(body);
        } catch (IOException unreachable) {
            throw new IllegalStateException(unreachable);
        }
    }

    private synchronized void replace(Session old, Session fresh) {
        if (session.isPresent() && session.get().http() == old.http()) {
            session = Optional.of(fresh);
        }
    }

    /**
     * Drops a failed session: its pooled connections may be dead, and the engine may have been replaced by another
     * version.
     */
    private synchronized void abandon(Session failed) {
        if (session.isPresent() && session.get().http() == failed.http()) {
            // Not closed here: other threads may be in calls that the engine will still answer. The pool is collected
            // with its last user, and its connections close with the engine's end.
            session = Optional.empty();
        }
    }

    private static void closeQuietly(DockerHttpClient http) {
        try {
            http.close();
        } catch (IOException ignored) {
            LOG.debug("Closing the engine's connections failed", ignored);
        }
    }
}
