package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeCutOffException;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.access.Door;
import dev.vivarium.node.access.LocalToken;
import dev.vivarium.node.access.LocalUsers;
import dev.vivarium.node.access.TokenSettings;
import dev.vivarium.node.access.Tokens;
import dev.vivarium.node.access.oidc.OidcSettings;
import dev.vivarium.node.access.oidc.OidcTokens;
import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.AdmissionSettings;
import dev.vivarium.node.admission.LimitPolicy;
import dev.vivarium.node.admission.RenewalReader;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.admission.WebhookReader;
import dev.vivarium.node.http.local.LocalSocket;
import dev.vivarium.node.http.local.LocalSocketSettings;
import dev.vivarium.node.http.server.HealthEndpoint;
import dev.vivarium.node.http.server.HttpServer;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.LocalConnections;
import dev.vivarium.node.http.server.Operation;
import dev.vivarium.node.http.v1.ApiV1;
import dev.vivarium.node.network.gateway.ListedDestinations;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.node.webhook.WebhookKeys;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A node with its API. Draining and closing may be requested from any thread and happen once. */
public final class LocalNode implements RunningNode {
    private static final Logger LOG = LoggerFactory.getLogger(LocalNode.class);
    private static final Duration BIND_MAX = Duration.ofSeconds(10);
    private static final Duration REQUESTS_GRACE = Duration.ofSeconds(1);
    /** Less than the API's wait for all checks together, so that its answer names the silent part. */
    private static final Duration CHECK_MAX = Duration.ofSeconds(2);
    /** A run that does not exist, used to check whether the journal answers. */
    private static final RunId UNKNOWN_RUN = new RunId("00000000000000000000000000");

    private final NodeCore core;
    private final HttpServer http;
    private final Optional<HttpServer> health;
    private final URI uri;
    private final Optional<LocalSocket> socket;
    private final LocalToken token;
    private final CompletableFuture<Done> terminated = new CompletableFuture<>();
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.RUNNING);

    private enum Phase {
        RUNNING,
        DRAINING,
        CLOSING
    }

    public static LocalNode start(NodeOptions options) throws NodeStartException {
        refuseTakenAddress(options);
        ApiListening listening = ApiListening.of(options, Clock.systemUTC());
        NodeCore core = NodeCore.start(options);
        try {
            LocalToken token = LocalToken.in(options.localToken(), core.store().tokenSeal());
            HttpServer http = serve(core, options, listening, token);
            Optional<HttpServer> health = HealthListener.start(core, options, () -> health(core));
            listening.keepCurrent(core);
            Optional<LocalSocket> socket = listenLocally(core, options, http);
            return new LocalNode(
                    core,
                    http,
                    socket,
                    health,
                    uri(listening.tls().isPresent() ? "https" : "http", options.host(), http.address()),
                    token);
        } catch (RuntimeException | NodeStartException failed) {
            core.close();
            if (failed instanceof NodeStartException refusal) {
                throw refusal;
            }
            throw new NodeStartException("The node cannot start: " + failed.getMessage(), failed);
        }
    }

    private LocalNode(
            NodeCore core,
            HttpServer http,
            Optional<LocalSocket> socket,
            Optional<HttpServer> health,
            URI uri,
            LocalToken token) {
        this.socket = socket;
        this.token = token;
        this.core = core;
        this.http = http;
        this.health = health;
        this.uri = uri;
        // A node that its cluster has downed stops itself.
        core.ending().whenComplete((done, failure) -> stopInItsOwnThread());
    }

    /** The last step of a start, so that no failure leaves the socket behind. A node without one is still a node. */
    private static Optional<LocalSocket> listenLocally(NodeCore core, NodeOptions options, HttpServer http) {
        LocalSocketSettings settings =
                LocalSocketSettings.from(core.config().getConfig("vivarium.http.local-socket"), options.localSocket());
        if (settings.path().isEmpty()) {
            return Optional.empty();
        }
        LocalConnections connections = http.localConnections(settings.maxConnections());
        try {
            LocalSocket socket =
                    LocalSocket.listen(settings.path().get(), connections.mostAtOnce(), connections::of, core.system());
            LOG.info("The API is also at {}, for the user of this node and for root.", socket.path());
            return Optional.of(socket);
        } catch (IOException failed) {
            LOG.warn("The API is at its port only: {}", failed.getMessage());
            return Optional.empty();
        }
    }

    private static LimitPolicy limits(NodeCore core) {
        LimitPolicy policy = LimitPolicy.from(core.config().getConfig("vivarium.limits"));
        long most = core.disks().mostBytes();
        return most == Long.MAX_VALUE ? policy : policy.withDisksInMemory(new ByteSize(most));
    }

    private static OidcTokens issuers(NodeCore core, Clock clock) {
        return new OidcTokens(
                OidcSettings.from(core.config().getConfig("vivarium.oidc")),
                core.system().dispatchers().lookup(DispatcherSelector.fromConfig(BlockingThreads.DISPATCHER)),
                clock,
                MonotonicClock.system());
    }

    private static HttpServer serve(NodeCore core, NodeOptions options, ApiListening listening, LocalToken token)
            throws NodeStartException {
        Config address = ConfigFactory.parseMap(Map.of("host", options.host(), "port", options.port()));
        HttpSettings settings =
                HttpSettings.from(address.withFallback(core.config().getConfig("vivarium.http")));
        LimitPolicy limits = limits(core);
        AdmissionSettings admitted = AdmissionSettings.from(
                core.config().getConfig("vivarium.admission"),
                Math.toIntExact(core.config().getBytes("vivarium.http.max-body")));
        SubmissionReader reader = new SubmissionReader(
                limits,
                admitted,
                new SubmissionReader.Offers(
                        core.sandboxes()::isolations,
                        core.sandboxes()::egressModes,
                        core.sandboxes()::egressRefusal,
                        ListedDestinations.of(core.config().getConfig("vivarium.egress")),
                        core.webhookGuard(),
                        core.quotas()::webhooks));
        Rates rates = new Rates(core.quotas()::of, core.clock()::nanos);
        Admission admission = new Admission(
                core.runs(),
                core.store().journal(),
                core.store().idempotencyKeys(),
                core.store().secrets(),
                core.store().namedSecrets(),
                core.store().blobs(),
                rates,
                core.disks().inMemoryBytes());
        Clock clock = Clock.systemUTC();
        Tokens tokens = new Tokens(
                core.store().tokens(),
                core.store().tokenSeal(),
                TokenSettings.from(core.config().getConfig("vivarium.tokens")),
                core.acts(),
                clock);
        Door door = new Door(token, LocalUsers.ofProcess(), tokens, issuers(core, clock), listening.callers());
        List<Operation> api = ApiV1.operations(
                core.system(),
                settings,
                new ApiV1.Parts(
                        reader,
                        new RenewalReader(limits, admitted),
                        admission,
                        core.runs(),
                        core.store().journal(),
                        core.store().output(),
                        core.store().runs(),
                        core.store().blobs(),
                        core.store().audit(),
                        core.checks(),
                        core.acts(),
                        tokens,
                        core.store().namedSecrets(),
                        core.store().holds(),
                        core.deletions(),
                        core.quotas(),
                        rates,
                        core.webhooks(),
                        new WebhookReader(core.webhookGuard()),
                        new WebhookKeys(core.store().webhookSeal(), clock),
                        core.metrics(),
                        core.tenantMetrics()));
        List<Operation> operations = Stream.concat(
                        api.stream(), HealthEndpoint.operations(() -> health(core), core.metrics()).stream())
                .toList();
        try {
            return HttpServer.start(
                            core.system(),
                            settings,
                            listening.tls().map(Function.identity()),
                            operations,
                            door::authenticate,
                            core.metrics(),
                            clock)
                    .toCompletableFuture()
                    .get(BIND_MAX.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException failed) {
            throw cannotListen(options, failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NodeStartException("Interrupted while starting the API.", interrupted);
        }
    }

    /** Detects a port in use before the seconds that a start takes; binding it later checks again. */
    private static void refuseTakenAddress(NodeOptions options) throws NodeStartException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(options.host(), options.port()));
        } catch (IOException taken) {
            throw cannotListen(options, taken);
        }
    }

    private static NodeStartException cannotListen(NodeOptions options, Exception cause) {
        return new NodeStartException(
                "The API cannot listen on " + options.host() + ":" + options.port()
                        + ". Is another program using it, or does the address not belong to this machine? Choose"
                        + " another port with --port (0 for any free one), or another address with --host.",
                cause);
    }

    private static CompletionStage<List<Health.Check>> health(NodeCore core) {
        CompletionStage<Health.Check> store =
                check("store", core.store().journal().state(UNKNOWN_RUN));
        CompletionStage<Health.Check> engine = check("engine", core.sandboxes().list());
        Health.Check node = core.drain().isDraining()
                ? new Health.Check("node", Health.Status.DOWN, "is draining and takes no new runs")
                : new Health.Check("node", Health.Status.UP, "takes runs");
        return store.thenCombine(engine, (first, second) -> List.of(node, first, second));
    }

    private static CompletionStage<Health.Check> check(String part, CompletionStage<?> asked) {
        CompletableFuture<?> inTime =
                asked.toCompletableFuture().copy().orTimeout(CHECK_MAX.toMillis(), TimeUnit.MILLISECONDS);
        return inTime.handle((answer, failure) -> failure == null
                ? new Health.Check(part, Health.Status.UP, "answers")
                : new Health.Check(part, Health.Status.DOWN, "does not answer"));
    }

    private static URI uri(String scheme, String host, InetSocketAddress bound) {
        String name = host.contains(":") ? "[" + host + "]" : host;
        return URI.create(scheme + "://" + name + ":" + bound.getPort());
    }

    @Override
    public URI uri() {
        return uri;
    }

    @Override
    public Optional<String> newLocalToken() {
        return token.newText();
    }

    @Override
    public CompletionStage<Done> drain(Duration atMost) {
        if (phase.compareAndSet(Phase.RUNNING, Phase.DRAINING)) {
            core.drainSandboxes(Principal.LOCAL_OPERATOR, atMost).whenComplete((over, failure) -> stopInItsOwnThread());
        }
        return terminated();
    }

    @Override
    public CompletionStage<Done> terminated() {
        return terminated.minimalCompletionStage();
    }

    @Override
    public void close() {
        stopInItsOwnThread();
        terminated.handle((done, failure) -> Done.getInstance()).join();
    }

    /** Stopping waits for the actor system, so it must not run on one of the system's own threads. */
    private void stopInItsOwnThread() {
        if (phase.getAndSet(Phase.CLOSING) != Phase.CLOSING) {
            Thread stopping = new Thread(this::stop, "vivarium-stop");
            stopping.start();
        }
    }

    private CompletionStage<Done> stopListening() {
        return http.stop(REQUESTS_GRACE).thenCompose(done -> health.map(listener -> listener.stop(Duration.ZERO))
                .orElse(CompletableFuture.completedStage(done)));
    }

    private void stop() {
        boolean cutOff = core.isCutOff();
        socket.ifPresent(open -> open.close(cutOff ? Duration.ZERO : REQUESTS_GRACE));
        try {
            // When a node was cut off, its API has ended with the actor system.
            CompletionStage<Done> stopped =
                    cutOff ? CompletableFuture.completedStage(Done.getInstance()) : stopListening();
            stopped.toCompletableFuture().get(BIND_MAX.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException failed) {
            LOG.warn("The API did not stop cleanly: {}", String.valueOf(failed.getMessage()));
        }
        try {
            core.close();
            if (cutOff) {
                terminated.completeExceptionally(
                        new NodeCutOffException("The cluster has removed this node, or it reached"
                                + " no majority of it; its sandboxes are destroyed. Restart it to join again."));
            }
            terminated.complete(Done.getInstance());
        } catch (RuntimeException failed) {
            terminated.completeExceptionally(failed);
        }
    }
}
