package dev.vivarium.node.http.v1;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.access.CallerCertificates;
import dev.vivarium.node.access.Door;
import dev.vivarium.node.access.LocalToken;
import dev.vivarium.node.access.LocalUsers;
import dev.vivarium.node.access.TokenSettings;
import dev.vivarium.node.access.TokenWish;
import dev.vivarium.node.access.Tokens;
import dev.vivarium.node.access.oidc.OidcSettings;
import dev.vivarium.node.access.oidc.OidcTokens;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.admission.WebhookReader;
import dev.vivarium.node.doubles.InMemoryAudit;
import dev.vivarium.node.doubles.InMemoryBlobs;
import dev.vivarium.node.doubles.InMemoryChecks;
import dev.vivarium.node.doubles.InMemoryHolds;
import dev.vivarium.node.doubles.InMemoryKeptData;
import dev.vivarium.node.doubles.InMemoryNamedSecrets;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.doubles.InMemoryTenants;
import dev.vivarium.node.doubles.InMemoryVault;
import dev.vivarium.node.doubles.ListedActs;
import dev.vivarium.node.doubles.MovableClock;
import dev.vivarium.node.http.server.ApiJson;
import dev.vivarium.node.http.server.Encryption;
import dev.vivarium.node.http.server.HealthEndpoint;
import dev.vivarium.node.http.server.HttpServer;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.Operation;
import dev.vivarium.node.retention.Deletions;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.node.tenant.TenantConfig;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.node.webhook.WebhookKeys;
import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.api.Health;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.Usage;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The API on a free port, over runs that the test advances by hand. Every plain exchange is checked against the OpenAPI
 * document.
 */
final class TestApi implements AutoCloseable {
    private static final OidcTokens NO_ISSUERS = new OidcTokens(
            OidcSettings.from(ConfigFactory.defaultReference().getConfig("vivarium.oidc")),
            Runnable::run,
            Clock.systemUTC(),
            Clock.systemUTC());

    static final String UNKNOWN_RUN = "01jd4h5s2m8x7k9q3v6w0t1y2z";

    final InMemoryRuns runs = new InMemoryRuns();
    final InMemoryVault vault = new InMemoryVault();
    final InMemoryNamedSecrets namedSecrets = new InMemoryNamedSecrets();
    final InMemoryHolds holds = new InMemoryHolds();
    final InMemoryBlobs blobs = new InMemoryBlobs();
    final InMemoryAudit audit = new InMemoryAudit();
    final InMemoryChecks checks = new InMemoryChecks();
    final InMemoryTokens tokenStore = new InMemoryTokens();
    private static final SecretSeal.Key MASTER = SecretSeal.Key.random();
    final TokenSeal seal = new TokenSeal(List.of(MASTER));
    /** The time by which tokens expire. */
    final MovableClock clock = new MovableClock(InMemoryRuns.NOON);

    final ListedActs acts = new ListedActs();

    final Deletions deletions = new Deletions(
            new InMemoryKeptData(runs, blobs, holds),
            holds,
            Set.of(new Tenant("held-by-configuration")),
            acts,
            Runnable::run);

    final Tokens tokens =
            new Tokens(tokenStore, seal, TokenSettings.from(Samples.SHIPPED.getConfig("tokens")), acts, clock);
    final InMemoryTenants tenantStore = new InMemoryTenants();
    final TenantQuotas quotas = new TenantQuotas(
            tenantStore,
            TenantConfig.from(
                    Samples.SHIPPED.getConfig("tenants").withValue("count-max", ConfigValueFactory.fromAnyRef(3))),
            clock);

    final InMemoryWebhooks webhooks = new InMemoryWebhooks();

    final Rates rates = new Rates(quotas::of, clock::nanos);

    /** The token of this machine's operator, which requests present unless they have another one. */
    final String local = seal.mint(TokenSeal.Form.VIV).text();

    final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final PrometheusMeterRegistry tenantMetrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final HttpClient client = HttpClient.newHttpClient();
    CompletionStage<List<Health.Check>> readiness =
            CompletableFuture.completedStage(List.of(new Health.Check("store", Health.Status.UP, "answers")));

    {
        tenantMetrics.counter("vivarium.tenant.refusals", "tenant", "default", "quota", "runs");
    }

    private final ActorSystem<Void> system = ActorSystem.create(
            Behaviors.empty(),
            "api",
            ConfigFactory.parseString("pekko.loglevel = WARNING").withFallback(ConfigFactory.load()));
    private final Optional<CallerCertificates> callers;
    private final List<Operation> operations;
    private final HttpServer server;
    private final Set<String> answers = new ConcurrentSkipListSet<>();
    private final Set<String> parameters = new ConcurrentSkipListSet<>();

    TestApi(String settings) {
        this(settings, Optional.empty());
    }

    TestApi(String settings, Optional<Encryption> encryption) {
        this(settings, encryption, Optional.empty());
    }

    /** @param callers what the certificates of callers are judged by */
    TestApi(String settings, Optional<Encryption> encryption, Optional<CallerCertificates> callers) {
        this.callers = callers;
        HttpSettings http = HttpSettings.from(ConfigFactory.parseString("port = 0\n" + settings)
                .withFallback(Samples.SHIPPED.getConfig("http"))
                .resolve());
        operations = Stream.concat(
                        ApiV1.operations(
                                system,
                                http,
                                new ApiV1.Parts(
                                        Samples.reader(Isolation.CONTAINER),
                                        Samples.renewals(),
                                        new Admission(
                                                runs,
                                                runs,
                                                runs,
                                                vault,
                                                namedSecrets.secrets(),
                                                blobs,
                                                rates,
                                                Long.MAX_VALUE),
                                        runs,
                                        runs,
                                        runs,
                                        runs,
                                        blobs,
                                        audit,
                                        checks,
                                        acts,
                                        tokens,
                                        namedSecrets.secrets(),
                                        holds,
                                        deletions,
                                        quotas,
                                        rates,
                                        webhooks,
                                        new WebhookReader(Samples.WEBHOOK_GUARD),
                                        new WebhookKeys(new WebhookSeal(List.of(MASTER)), clock),
                                        metrics,
                                        tenantMetrics))
                                .stream(),
                        HealthEndpoint.operations(() -> readiness, metrics).stream())
                .toList();
        server = HttpServer.start(
                        system, http, encryption, operations, door()::authenticate, metrics, Clock.systemUTC())
                .toCompletableFuture()
                .join();
    }

    Door door() {
        return door(tokens);
    }

    /** A door of another node of the same installation and machine, which knows tokens by this. */
    Door door(Tokens tokens) {
        try {
            Path file = Files.createTempDirectory("vivarium-api-").resolve("token");
            DurableFiles.create(file, local.getBytes(StandardCharsets.US_ASCII), DurableFiles.OWNER_ONLY);
            return new Door(LocalToken.in(file, seal), LocalUsers.ofProcess(), tokens, NO_ISSUERS, callers);
        } catch (IOException | NodeStartException failed) {
            throw new AssertionError(failed);
        }
    }

    /** Makes a token. */
    String token(Role role, String tenant) {
        return token(role, tenant, Scope.NONE);
    }

    String token(Role role, String tenant, Scope scope) {
        Tokens.Issuing made = tokens.issue(
                        new TokenWish(
                                Optional.empty(),
                                new Tenant(tenant),
                                role,
                                scope,
                                Duration.ofDays(1),
                                TokenSeal.Form.VIV),
                        new Requester(
                                Principal.LOCAL_OPERATOR,
                                new Origin(Tenant.DEFAULT, Optional.empty(), Optional.empty())))
                .toCompletableFuture()
                .join();
        return ((Tokens.Issuing.Made) made).issued().text();
    }

    /** The server, for tests that stop it. */
    HttpServer server() {
        return server;
    }

    List<Operation> operations() {
        return operations;
    }

    /** Every operation that has a route. */
    List<String> served() {
        return operations.stream().map(Operation::toString).toList();
    }

    int port() {
        return server.address().getPort();
    }

    HttpRequest.Builder request(String pathAndQuery) {
        return anonymous(pathAndQuery).header("Authorization", "Bearer " + local);
    }

    /** A request without a token. */
    HttpRequest.Builder anonymous(String pathAndQuery) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port() + pathAndQuery))
                .timeout(Duration.ofSeconds(20));
    }

    /** A request with this token. */
    HttpRequest.Builder as(String token, String pathAndQuery) {
        return request(pathAndQuery).setHeader("Authorization", "Bearer " + token);
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

    HttpResponse<String> put(String path, String body, String... headers) {
        HttpRequest.Builder request = request(path).PUT(BodyPublishers.ofString(body));
        return exchange(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    HttpResponse<String> head(String pathAndQuery) {
        return exchange(
                request(pathAndQuery).method("HEAD", BodyPublishers.noBody()).build());
    }

    /** Sends a request whose response the document must describe. */
    HttpResponse<String> exchange(HttpRequest request) {
        return described(request, send(request));
    }

    /** Like {@link #exchange}, with this exact head of the request. */
    HttpResponse<String> exchangeRaw(String method, String path, String headersAndBody) {
        HttpRequest request =
                request(path).method(method, BodyPublishers.noBody()).build();
        return described(
                request,
                RawResponse.of(request, raw(method + " " + path + " HTTP/1.1\r\n" + authorization() + headersAndBody)));
    }

    /** Like {@link #exchange}, with a body that never arrives. */
    HttpResponse<String> exchangeSlowly(String method, String path) {
        HttpRequest request =
                request(path).method(method, BodyPublishers.noBody()).build();
        String head = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + authorization()
                + "Content-Length: 1000\r\nConnection: close\r\n\r\n{";
        try (Socket socket = new Socket("localhost", port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return described(request, RawResponse.of(request, text));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Like {@link #exchange}, of an answer without end: up to the first line that begins like this. */
    HttpResponse<String> begin(HttpRequest request, String upTo) {
        try {
            HttpResponse<InputStream> answer = client.send(request, BodyHandlers.ofInputStream());
            StringBuilder text = new StringBuilder();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
                String line = lines.readLine();
                while (line != null && !line.startsWith(upTo)) {
                    text.append(line).append('\n');
                    line = lines.readLine();
                }
                text.append(line).append('\n');
            }
            return described(request, new RawResponse(request, answer.statusCode(), answer.headers(), text.toString()));
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError(request.uri() + " got no answer", failure);
        }
    }

    private HttpResponse<String> described(HttpRequest request, HttpResponse<String> response) {
        List<String> mistakes = OpenApiDocument.mistakes(request, response);
        if (!mistakes.isEmpty()) {
            throw new AssertionError(request.uri() + " answered " + response.body() + "\n" + mistakes);
        }
        answers.add(OpenApiDocument.answerOf(request, response));
        if (response.statusCode() < 300) {
            parameters.addAll(OpenApiDocument.parametersOf(request));
        }
        return response;
    }

    /** Every response so far, in the document's notation. */
    Set<String> answers() {
        return answers;
    }

    /** Every parameter that was accepted so far, in the document's notation. */
    Set<String> parameters() {
        return parameters;
    }

    /** Sends a request that no path of the document describes, or that the HTTP layer answers. */
    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError(request.uri() + " got no answer", failure);
        }
    }

    /** The line of a request's head with the operator's token. */
    String authorization() {
        return "Authorization: Bearer " + local + "\r\n";
    }

    /** Sends these exact bytes and reads everything until the server or the client closes. */
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

    /** A run whose agent is running. */
    RunId running() {
        RunId run = submitted();
        runs.happen(run, new RunEvent.AttemptStarting(InMemoryRuns.NOON, "node-1", 1));
        runs.happen(run, new RunEvent.AttemptStarted(InMemoryRuns.NOON, "node-1", 1, "sandbox-1", Optional.empty()));
        return run;
    }

    void succeed(RunId run) {
        runs.happen(run, new RunEvent.RunSucceeded(InMemoryRuns.NOON, "node-1", 1, Usage.NONE));
    }

    /** The number of uploads in progress. */
    double uploads() {
        return metrics.get("vivarium.http.uploads").gauge().value();
    }

    /** The number of open connections. */
    double connections() {
        return metrics.get("vivarium.http.connections").gauge().value();
    }

    /** The number of connections that were closed for others. */
    double displaced() {
        return metrics.get("vivarium.http.connections.displaced")
                .functionCounter()
                .count();
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
