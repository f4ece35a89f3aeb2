package dev.vivarium.node.whole;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.network.TestHosts;
import dev.vivarium.node.network.resolver.FakeUpstream;
import dev.vivarium.trials.outside.Internet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * An injected secret is never visible to the agent, and nowhere once its run has ended. Each search is shown to work: it
 * finds a value that is no secret, or the secret itself while it is in use.
 */
@Timeout(300)
class InjectedSecretsOfANodeTest {
    private static final String HOST = "secure.vivarium.example.com";
    private static final String SECRET = "sk-" + UUID.randomUUID().toString().replace("-", "");
    private static final String PREFIX = "Bearer of ";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Search SEARCH = Search.values(Map.of("secret", SECRET));

    private static final Agent AGENT = Agent.python(
                    """
                    import time, urllib.request
                    url = 'http://%s/'
                    for size in (0, 100, 100_000):
                        print(urllib.request.urlopen(urllib.request.Request(url, data=b'x' * size)).read())
                    print('used', flush=True)
                    time.sleep(600)
                    """
                            .formatted(HOST))
            .secret("INJECTED", SECRET)
            .injecting(HOST, "Authorization", "INJECTED", PREFIX);

    @RegisterExtension
    static final DataDirectory DATA = new DataDirectory();

    @Test
    void anInjectedSecretIsNeverVisibleToTheAgentAndNowhereAfterTheRun(@TempDir Path folder) throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        try (TestHosts hosts = new TestHosts("inject");
                FakeUpstream resolver = new FakeUpstream().has(HOST, Internet.SECURE);
                WholeNode node = start(hosts, resolver)) {
            String run = node.submit(AGENT).acceptedRun();
            node.awaitPrinted(run, "used");
            Search control = Search.values(Map.of("run", run));

            // while it is in use
            assertUsed(hosts);
            assertThat(holders(control)).isNotEmpty().doesNotContain(node.pid());
            assertThat(holders(SEARCH)).isEmpty();
            for (long process : holders(control)) {
                byte[] memory = ProcessMemory.of(process);
                assertThat(control.in(memory)).isNotEmpty();
                assertThat(SEARCH.in(memory)).as("with process %d", process).isEmpty();
            }
            for (String path : List.of("/v1/runs/" + run, "/v1/runs/" + run + "/events", "/metrics")) {
                assertThat(SEARCH.in(node.exchange(node.request(path))))
                        .as(path)
                        .isEmpty();
            }
            assertThat(SEARCH.below(DATA.path())).isEmpty();
            assertThat(onTheHeap(SEARCH, node, folder)).isNotEmpty();

            // when: its run has ended
            node.cancel(run);
            node.awaitEnd(run);
            await().atMost(PATIENCE).until(() -> Files.notExists(DATA.path().resolve("keys/" + run)));

            // then: it is nowhere
            assertThat(SEARCH.below(DATA.path())).isEmpty();
            assertThat(control.below(DATA.path())).isNotEmpty();
            assertThat(SEARCH.below(node.temporary())).isEmpty();
            for (Path said : node.said()) {
                assertThat(SEARCH.in(Files.readAllBytes(said)))
                        .as("in %s", said)
                        .isEmpty();
            }
            assertThat(node.log()).contains(run, "TRACE ", "ClientHello", " io.netty.");
            await("the secret to disappear from the heap")
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> onTheHeap(SEARCH, node, folder).isEmpty());
            assertThat(onTheHeap(control, node, folder)).isNotEmpty();
        }
    }

    private static WholeNode start(TestHosts hosts, FakeUpstream resolver) throws IOException {
        return WholeNode.on(DATA)
                .java(
                        "-Dlogback.configurationFile=every-logger.xml",
                        "-Dpekko.loglevel=DEBUG",
                        "-Djavax.net.debug=ssl:handshake")
                .with(
                        "--set",
                        "vivarium.egress.gateway.extra-authorities=" + hosts.authority(),
                        "--set",
                        "vivarium.egress.names.upstream.0=127.0.0.1:"
                                + resolver.address().getPort(),
                        // A JVM that has just started and logs everything is slow.
                        "--set",
                        "vivarium.egress.names.upstream-timeout=30s",
                        "--set",
                        "vivarium.egress.gateway.connect-timeout=30s")
                .go();
    }

    /** Asserts that all of the agent's requests reached the host with the header. */
    private static void assertUsed(TestHosts hosts) throws Exception {
        String digest = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest((PREFIX + SECRET).getBytes(UTF_8)));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(hosts.visits())
                .filteredOn(visit -> visit.startsWith("https "))
                .hasSize(3)
                .allMatch(visit -> visit.endsWith(" " + digest)));
    }

    /** The values that are reachable on the heap of the node now. */
    private static Set<String> onTheHeap(Search sought, WholeNode node, Path folder) throws Exception {
        Path heap = folder.resolve("heap");
        Files.deleteIfExists(heap);
        node.dumpHeap(heap);
        try (var content = Files.newInputStream(heap)) {
            return sought.in(content);
        }
    }

    /** The processes of the machine whose environment or command line contains it. */
    private static Set<Long> holders(Search sought) throws IOException {
        Set<Long> holders = new TreeSet<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes.filter(SecretsOfANodeTest::isProcess).toList()) {
                for (String file : List.of("cmdline", "environ")) {
                    if (!sought.in(SecretsOfANodeTest.readIfThere(process.resolve(file)))
                            .isEmpty()) {
                        holders.add(Long.valueOf(process.getFileName().toString()));
                    }
                }
            }
        }
        return holders;
    }
}
