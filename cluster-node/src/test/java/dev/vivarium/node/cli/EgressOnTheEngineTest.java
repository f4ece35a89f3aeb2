package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.assembly.LocalNodeLauncher;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.node.network.TestHosts;
import dev.vivarium.node.network.resolver.FakeUpstream;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.trials.outside.Internet;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real engine, through a whole node: what an agent reaches over its network, and how denials reach its owner. */
@Timeout(180)
class EgressOnTheEngineTest {
    @TempDir
    private static Path data;

    private static TestHosts hosts;
    private static FakeUpstream resolver;
    private static RunningNode node;
    private static ApiClient client;
    private static String token;

    private final CommandLineFixture line = new CommandLineFixture();

    @BeforeAll
    static void startNode() throws Exception {
        hosts = new TestHosts("whole");
        resolver = new FakeUpstream()
                .has(Internet.NAME, Internet.PUBLIC)
                .has("secure.vivarium.example.com", Internet.SECURE)
                .has("a.rebound.example.com", Internet.INTERNAL)
                .has("rebound.vivarium.example.com", Internet.INTERNAL);
        node = new LocalNodeLauncher()
                .start(new NodeOptions(
                        "127.0.0.1",
                        0,
                        data,
                        Credentials.fileIn(data),
                        data.resolve("socket").resolve("api.sock"),
                        Optional.empty(),
                        Map.of(
                                "vivarium.sandbox.egress-scan.consequence",
                                "kill",
                                "vivarium.egress.gateway.extra-authorities",
                                hosts.authority(),
                                "vivarium.egress.names.upstream.0",
                                "127.0.0.1:" + resolver.address().getPort())));
        token = Files.readString(Credentials.fileIn(data)).strip();
        client = new ApiClient(node.uri(), Credentials.of(token), ScriptedNode.SHORT);
    }

    @AfterAll
    static void stopNode() {
        node.close();
        resolver.close();
        hosts.close();
    }

    @Test
    void anAgentReachesTheInternetAndItsDeniedAttemptsAreInItsHistory() throws Exception {
        String run = submit(
                1000,
                """
                import socket
                print(socket.create_connection(('%s', 80), 5).recv(16))
                for _ in range(3):
                    try:
                        socket.create_connection(('%s', 80), 0.3)
                    except TimeoutError:
                        print('denied')
                """
                        .formatted(Internet.PUBLIC, Internet.INTERNAL));

        assertThat(ended(run).path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(client.run(run).path("spec").path("egress").path("mode").asText())
                .isEqualTo("public");
        JsonNode last = last(run, "EgressDenied");
        assertThat(last.path("total").asInt()).isGreaterThanOrEqualTo(3);
        assertThat(last.path("destinations").asInt()).isEqualTo(1);
        assertThat(last.path("mostTried").path(0).path("destination").asText()).isEqualTo(Internet.INTERNAL);
        assertThat(last.path("mostTried").path(0).path("port").asInt()).isEqualTo(80);
        assertThat(last.path("mostTried").path(0).path("protocol").asText()).isEqualTo("tcp");
        assertThat(line("events", run)).contains("EgressDenied").contains(Internet.INTERNAL);
    }

    @Test
    void namesResolveToPublicAddressesOnly() throws Exception {
        String run = submit(
                1000,
                """
                import socket
                print(socket.create_connection(('www.vivarium.example.com', 80), 5).recv(16))
                for name in 'rebound.vivarium.example.com', 'metadata.internal', 'no-such.vivarium.example.com':
                    try:
                        print(name, socket.getaddrinfo(name, 80))
                    except socket.gaierror as error:
                        print(name, 'has no address')
                """);

        assertThat(ended(run).path("status").asText()).as(line("logs", run)).isEqualTo("SUCCEEDED");
        assertThat(line("logs", run))
                .contains("reached")
                .contains("rebound.vivarium.example.com has no address")
                .contains("metadata.internal has no address")
                .contains("no-such.vivarium.example.com has no address");
        assertThat(resolver.asked()).noneMatch(name -> name.contains("metadata"));
        assertThat(last(run, "EgressDenied").path("mostTried").findValuesAsText("destination"))
                .contains("rebound.vivarium.example.com");
    }

    @Test
    void withAnAllowlistOnlyItsHostsAreReachedThroughTheGateway() throws Exception {
        String run = submit(
                ApiJson.object().put("mode", "allowlist"),
                List.of("www.vivarium.example.com:8080", "*.rebound.example.com:8080"),
                1000,
                """
                import os, socket, urllib.parse
                proxy = urllib.parse.urlparse(os.environ['https_proxy'])

                def tunnel(target):
                    sock = socket.create_connection((proxy.hostname, proxy.port), 5)
                    sock.sendall(f'CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n'.encode())
                    said = b''
                    while True:
                        part = sock.recv(4096)
                        said += part
                        if not part or b'reached' in said or b'"detail"' in said:
                            return said.decode()

                print('listed', 'reached' in tunnel('www.vivarium.example.com:8080'))
                print('another port', tunnel('www.vivarium.example.com:6379').split()[1])
                print('another name', tunnel('example.org:8080').split()[1])
                print('an address', tunnel('%s:8080').split()[1])
                print('inside', tunnel('a.rebound.example.com:8080').split()[1])
                print('answer', socket.gethostbyname('www.vivarium.example.com') == proxy.hostname)
                for name in 'example.org', 'vivarium.example.com':
                    try:
                        print(name, socket.gethostbyname(name))
                    except socket.gaierror:
                        print(name, 'has no address')
                try:
                    socket.create_connection(('%s', 80), 2)
                except OSError as error:
                    print('directly', error.strerror)
                """
                        .formatted(Internet.PUBLIC, Internet.PUBLIC));

        assertThat(ended(run).path("status").asText()).as(line("logs", run)).isEqualTo("SUCCEEDED");
        assertThat(line("logs", run).lines())
                .containsExactly(
                        "listed True",
                        "another port 403",
                        "another name 403",
                        "an address 403",
                        "inside 403",
                        "answer True",
                        "example.org has no address",
                        "vivarium.example.com has no address",
                        "directly Network is unreachable");
        assertThat(resolver.asked()).noneMatch(name -> name.startsWith("example.org"));
        assertThat(last(run, "EgressDenied").path("mostTried").findValuesAsText("destination"))
                .contains("example.org");
    }

    @Test
    void anAgentThatScansTheInternalNetworkIsKilledAndItsHistoryIsShort() throws Exception {
        String run = submit(
                ApiJson.object().put("mode", "public"),
                List.of(),
                100_000,
                """
                import socket, time
                for address in range(256):
                    for port in range(1, 257):
                        one = socket.socket()
                        one.setblocking(False)
                        one.connect_ex(('192.168.77.%d' % address, port))
                        one.close()
                time.sleep(60)
                """,
                "1Gi");

        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo("KILLED");
        assertThat(end.path("reason").asText()).isEqualTo("EGRESS_SCAN");
        assertThat(types(run)).filteredOn("EgressDenied"::equals).hasSizeBetween(1, 4);
        assertThat(hosts.visits()).noneMatch(visit -> visit.startsWith("tcp") && visit.contains(" 192.168"));
    }

    @Test
    void anAgentThatOpensTooManyConnectionsIsKilled() throws Exception {
        String run = submit(
                20,
                """
                import socket
                while True:
                    socket.create_connection(('%s', 443), 5).close()
                """
                        .formatted(Internet.PUBLIC));

        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo("KILLED");
        assertThat(end.path("reason").asText()).isEqualTo("EGRESS_REQUESTS");
        assertThat(end.path("measurement").path("measured").asLong()).isGreaterThan(20);
        // However fast the agent was, the kernel allowed no more.
        assertThat(hosts.visits().stream()
                        .filter(visit -> visit.startsWith("tcp ") && visit.endsWith(Internet.PUBLIC + " 443")))
                .hasSize(20);
    }

    @Test
    void anAgentThatTransfersTooManyBytesIsKilled() throws Exception {
        String run = submit(
                ApiJson.object().put("mode", "public"),
                List.of(),
                1000,
                """
                import socket
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                while True:
                    sock.sendto(b'x' * 1400, ('%s', 443))
                """
                        .formatted(Internet.PUBLIC),
                "64Ki");

        JsonNode end = ended(run);
        assertThat(end.path("status").asText()).as("%s", end).isEqualTo("KILLED");
        assertThat(end.path("reason").asText()).isEqualTo("EGRESS_BYTES");
        assertThat(end.path("measurement").path("measured").asLong()).isGreaterThan(65_536);
    }

    @Test
    void theNetworkUseOfAnAgentIsInItsHistory() throws Exception {
        String run = submit(
                1000,
                """
                import socket
                for port in (80, 80, 6379):
                    socket.create_connection(('%s', port), 5).recv(16)
                """
                        .formatted(Internet.PUBLIC));

        assertThat(ended(run).path("status").asText()).isEqualTo("SUCCEEDED");
        assertThat(types(run)).filteredOn("EgressUsed"::equals).hasSize(1);
        JsonNode used = last(run, "EgressUsed");
        assertThat(used.path("connections").asLong()).isEqualTo(3);
        assertThat(used.path("destinations").asLong()).isEqualTo(2);
        assertThat(used.path("bytesOut").asLong()).isPositive();
        assertThat(used.path("bytesIn").asLong()).isPositive();
        assertThat(used.path("mostReached").path(0).toString())
                .startsWith(
                        "{\"protocol\":\"tcp\",\"destination\":\"" + Internet.PUBLIC + "\",\"port\":80,\"count\":2,");
        // The sum over destinations is the link's total, except for packets to destinations that it may not reach.
        assertThat(sum(used, "bytesOut"))
                .isBetween(3 * 100L, used.path("bytesOut").asLong());
        assertThat(sum(used, "bytesIn"))
                .isBetween(3 * 100L, used.path("bytesIn").asLong());
        assertThat(line("events", run)).contains("EgressUsed");
    }

    @Test
    void whatRunsHaveUsedIsTakenOffTheirTenantsEgressOfTheDay() throws Exception {
        ObjectNode body =
                body("import socket; socket.create_connection(('%s', 80), 5).recv(16)".formatted(Internet.PUBLIC));
        body.putObject("egress").put("mode", "public");
        body.putObject("labels").put(RunSpec.TENANT_LABEL, "travellers");
        body.putObject("limits").put("wallClock", "60s").put("egressBytes", "1Mi");
        String run = client.submit(body).path("id").asText();
        assertThat(ended(run).path("status").asText()).isEqualTo("SUCCEEDED");
        JsonNode used = last(run, "EgressUsed");

        long bytes = used.path("bytesIn").asLong() + used.path("bytesOut").asLong();

        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(egressOfToday("travellers")).isEqualTo(bytes));
        client.setQuotas("travellers", ApiJson.object().put("egressBytesPerDay", "1Mi"));
        assertThatThrownBy(() -> client.submit(body))
                .hasMessageContaining("egressBytesPerDay of 1Mi and uses " + new ByteSize(bytes));
        body.withObject("/limits").put("egressBytes", (1 << 20) - bytes);
        assertThat(ended(client.submit(body).path("id").asText()).path("status").asText())
                .isEqualTo("SUCCEEDED");
    }

    private static long egressOfToday(String tenant) throws Exception {
        return StreamSupport.stream(client.usage(tenant).path("quotas").spliterator(), false)
                .filter(quota -> quota.path("quota").asText().equals("egressBytesPerDay"))
                .mapToLong(quota -> quota.path("used").asLong())
                .sum();
    }

    @ParameterizedTest
    @ValueSource(strings = {"container", "gvisor"})
    void anAgentUsesAnInjectedSecretWithoutSeeingIt(String isolation) throws Exception {
        EachIsolation.Here.assume(Isolation.valueOf(isolation.toUpperCase(Locale.ROOT)), isolations());
        String secret = "a-secret-" + UUID.randomUUID();
        ObjectNode egress = ApiJson.object().put("mode", "allowlist");
        egress.putArray("allow").add("secure.vivarium.example.com:443");
        egress.putArray("inject")
                .addObject()
                .put("host", "secure.vivarium.example.com")
                .put("header", "Authorization")
                .put("secret", "API_KEY")
                .put("prefix", "Bearer ");
        ObjectNode body = body(
                """
                import os, urllib.request
                url = 'http://secure.vivarium.example.com/v1/models'
                ask = urllib.request.Request(url, data=b'x' * 200000, headers={'Authorization': 'Bearer mine'})
                print('by the proxy', urllib.request.urlopen(ask).read().split()[2])
                direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                print('without it', direct.open(url).read().split()[2])
                print('has it', 'API_KEY' in os.environ)
                try:
                    urllib.request.urlopen('https://secure.vivarium.example.com/')
                except OSError as error:
                    print('TLS of its own:', error)
                """);
        body.set("egress", egress);
        body.put("isolation", isolation).putObject("secrets").put("API_KEY", secret);
        body.putObject("limits").put("wallClock", "60s");

        String run =
                client.submit(body, UUID.randomUUID().toString()).path("id").asText();

        assertThat(ended(run).path("status").asText()).as(line("logs", run)).isEqualTo("SUCCEEDED");
        assertThat(line("logs", run).lines())
                .containsExactly(
                        "by the proxy b'1:'",
                        "without it b'1:'",
                        "has it False",
                        "TLS of its own: <urlopen error Tunnel connection failed: 403 Forbidden>");
        String digest = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(("Bearer " + secret).getBytes(StandardCharsets.US_ASCII)));
        await().untilAsserted(() -> assertThat(hosts.visits())
                .contains(
                        "https secure.vivarium.example.com POST /v1/models " + digest,
                        "https secure.vivarium.example.com GET /v1/models " + digest));
        JsonNode shown = client.run(run).path("spec").path("egress").path("inject");
        assertThat(shown.toString())
                .isEqualTo("[{\"host\":\"secure.vivarium.example.com\",\"header\":\"authorization\","
                        + "\"secret\":\"API_KEY\",\"prefix\":\"Bearer \"}]");
        assertThat(line("events", run)).doesNotContain(secret);
    }

    @Test
    void bytesAreReportedByDestination() throws Exception {
        String run = submit(
                1000,
                """
                import socket
                def move(port, out):
                    with socket.create_connection(('%s', port), 5) as sock:
                        sock.sendall(b'x' * out)
                        sock.shutdown(socket.SHUT_WR)
                        while sock.recv(65536): pass
                move(6379, 200_000)
                move(8080, 10)
                """
                        .formatted(Internet.PUBLIC));
        String listed = submit(
                ApiJson.object().put("mode", "allowlist"),
                List.of("www.vivarium.example.com:8080,8081"),
                1000,
                """
                import urllib.request
                for size in (50_000, 1):
                    ask = urllib.request.Request('http://www.vivarium.example.com:8081/', data=b'x' * size)
                    urllib.request.urlopen(ask).read()
                """);

        assertThat(ended(run).path("status").asText()).as(line("logs", run)).isEqualTo("SUCCEEDED");
        assertThat(reach(run, 6379).path("bytesOut").asLong()).isBetween(200_000L, 250_000L);
        assertThat(reach(run, 6379).path("bytesIn").asLong()).isBetween(100L, 50_000L);
        assertThat(reach(run, 8080).path("bytesOut").asLong()).isBetween(100L, 2_000L);
        assertThat(ended(listed).path("status").asText())
                .as(line("logs", listed))
                .isEqualTo("SUCCEEDED");
        JsonNode asked = reach(listed, 8081);
        assertThat(asked.path("count").asLong()).isEqualTo(2);
        assertThat(asked.path("destination").asText()).isEqualTo("www.vivarium.example.com");
        assertThat(asked.path("bytesOut").asLong()).isBetween(50_001L, 52_000L);
        assertThat(asked.path("bytesIn").asLong()).isBetween(50L, 500L);
    }

    private static JsonNode reach(String run, int port) throws Exception {
        return StreamSupport.stream(last(run, "EgressUsed").path("mostReached").spliterator(), false)
                .filter(reach -> reach.path("port").asInt() == port)
                .findFirst()
                .orElseThrow();
    }

    private static long sum(JsonNode used, String bytes) {
        return StreamSupport.stream(used.path("mostReached").spliterator(), false)
                .mapToLong(reach -> reach.path(bytes).asLong())
                .sum();
    }

    private static Set<Isolation> isolations() {
        try (DockerDriver driver = DockerDriver.open(
                DockerDriverConfig.from(ConfigFactory.parseResources("docker-driver.conf"), "egress-whole", "nobody"),
                Runnable::run,
                NodeClock.system())) {
            return driver.capabilities().isolations();
        }
    }

    // ---- requests of a run's owner

    private static ObjectNode body(String program) {
        ObjectNode body = ApiJson.object().put("image", "vivarium/python");
        List.of("python3", "-c", program).forEach(body.putArray("command")::add);
        return body;
    }

    private static String submit(int connections, String program) throws Exception {
        return submit(ApiJson.object().put("mode", "public"), List.of(), connections, program);
    }

    private static String submit(ObjectNode egress, List<String> allow, int connections, String program)
            throws Exception {
        return submit(egress, allow, connections, program, "1Mi");
    }

    private static String submit(ObjectNode egress, List<String> allow, int connections, String program, String bytes)
            throws Exception {
        ObjectNode body = body(program);
        if (!allow.isEmpty()) {
            allow.forEach(egress.putArray("allow")::add);
        }
        body.set("egress", egress);
        body.putObject("limits")
                .put("wallClock", "60s")
                .put("egressRequests", connections)
                .put("egressBytes", bytes);
        return client.submit(body, UUID.randomUUID().toString()).path("id").asText();
    }

    private static JsonNode ended(String run) {
        return await("the end of " + run)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(100))
                .until(
                        () -> client.run(run),
                        view -> RunStatus.valueOf(view.path("status").asText()).isTerminal());
    }

    private static List<String> types(String run) throws Exception {
        return StreamSupport.stream(client.events(run).path("events").spliterator(), false)
                .map(event -> event.path("type").asText())
                .toList();
    }

    private static JsonNode last(String run, String type) throws Exception {
        return StreamSupport.stream(client.events(run).path("events").spliterator(), false)
                .filter(event -> event.path("type").asText().equals(type))
                .reduce((first, second) -> second)
                .orElseThrow(() -> new AssertionError("no " + type + " in the history of " + run))
                .path("data");
    }

    private String line(String command, String run) {
        line.environment.put("VIVARIUM_SERVER", node.uri().toString());
        line.environment.put("VIVARIUM_TOKEN", token);
        line.out.reset();
        assertThat(line.run(command, run)).as(line::noted).isZero();
        return line.printed();
    }
}
