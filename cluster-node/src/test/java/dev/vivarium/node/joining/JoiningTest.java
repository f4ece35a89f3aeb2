package dev.vivarium.node.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.client.Submission;
import dev.vivarium.node.NodeCutOffException;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.assembly.LocalNode;
import dev.vivarium.node.assembly.NodeConfig;
import dev.vivarium.node.assembly.NodeCore;
import dev.vivarium.node.assembly.NodeStore;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.doubles.SharedStore;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.persistence.store.Store;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A node that may not join a cluster is refused with a sentence that says why. */
@Timeout(300)
class JoiningTest {
    @TempDir
    private static Path folder;

    private static SharedStore store;
    private static LocalNode first;
    private static int port;
    private static int managementPort;

    @BeforeAll
    static void aClusterOfOneThatOthersMayJoin() throws Exception {
        store = new SharedStore();
        port = Newcomer.freePort();
        managementPort = Newcomer.freePort();
        first = LocalNode.start(options(Map.of(
                "vivarium.cluster.port",
                Integer.toString(port),
                "vivarium.cluster.node-name",
                "first",
                "vivarium.cluster.management.enabled",
                "on",
                "vivarium.cluster.management.port",
                Integer.toString(managementPort))));
    }

    @AfterAll
    static void stop() throws IOException {
        first.close();
        store.close();
    }

    @Test
    void theManagementPortSaysThatTheNodeLivesAndHasJoinedAndNothingMore() throws Exception {
        assertThat(status("/alive")).isEqualTo(200);
        assertThat(status("/ready")).isEqualTo(200);
        assertThat(status("/cluster/members")).isEqualTo(404);
    }

    @Test
    void anotherClustersNameIsRefusedWithBothNames() {
        refused("vivarium.cluster.name", "other")
                .hasMessageContaining("it is the cluster \"vivarium\"")
                .hasMessageContaining("vivarium.cluster.name is \"other\"");
    }

    @Test
    void anotherSecretIsRefusedWithoutRevealingIt() throws IOException {
        refused("vivarium.cluster.secret-file", store.file("other", "another secret of the tests"))
                .hasMessageContaining("shared secret differs")
                .hasMessageNotContaining("another secret of the tests");
    }

    @Test
    void anIncompatibleVersionIsRefusedWithBothVersions() {
        JoinHandshake old = new JoinHandshake("vivarium", 7, "01k0", "digest", "");
        JoinHandshake mine = new JoinHandshake("vivarium", JoinHandshake.PROTOCOL, "01k0", "digest", "");

        assertThat(mine.objectionsTo(mine)).isEmpty();
        assertThat(mine.objectionsTo(old))
                .singleElement()
                .asString()
                .contains("version 7")
                .contains("speaks 2");
    }

    @Test
    void anotherStoreIsRefused() throws Exception {
        try (SharedStore other = new SharedStore()) {
            Map<String, String> changed = new HashMap<>(other.settings());
            changed.put("vivarium.cluster.secret-file", store.settings().get("vivarium.cluster.secret-file"));
            refused(changed).hasMessageContaining("it works on another store (installation " + store.installation());
        }
    }

    @Test
    void aNameInUseIsRefused() {
        refused("vivarium.cluster.node-name", "first")
                .hasMessageContaining("has the name \"first\"")
                .hasMessageContaining("127.0.0.1:" + port);
    }

    @Test
    void anAddressInUseIsRefused() {
        refused("vivarium.cluster.port", Integer.toString(port))
                .hasMessageContaining("127.0.0.1:" + port)
                .hasMessageContaining("Is another node running there?");
    }

    @Test
    void aWrongContactPointIsReportedAfterTheTimeout() {
        refused(Map.of("vivarium.cluster.seeds.0", "127.0.0.1:9", "vivarium.cluster.join-timeout", "3s"))
                .hasMessageContaining("No cluster took this node in within 3 s")
                .hasMessageContaining("127.0.0.1:9");
    }

    @Test
    void aSecondClusterOnTheStoreOfALiveOneIsNotFormed() throws Exception {
        int own = Newcomer.freePort();

        refused(Map.of("vivarium.cluster.seeds.0", "127.0.0.1:" + own, "vivarium.cluster.port", Integer.toString(own)))
                .hasMessageContaining("belongs to a live cluster")
                .hasMessageContaining("127.0.0.1:" + port)
                .hasMessageContaining("vivarium.cluster.seeds");
        refused("vivarium.cluster.formation", "alone").hasMessageContaining("vivarium.cluster.formation");
        assertThat(status("/ready")).isEqualTo(200);
    }

    @Test
    void aClusterWhoseStoreAnotherClusterHasTakenEnds() throws Exception {
        try (SharedStore own = new SharedStore()) {
            Map<String, String> alone = alone(own);
            LocalNode node = LocalNode.start(options(alone));

            // as a node of another cluster does after this one was frozen for long
            own.execute("UPDATE cluster_hold SET holder = '10.0.0.5:25520#1', beat = beat + 1");

            assertThatThrownBy(() -> node.terminated().toCompletableFuture().get(60, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(NodeCutOffException.class);
        }
    }

    @Test
    void aNodeThatWasGivenUpEndsAlthoughOneOfItsActorsDoesNot() throws Exception {
        try (SharedStore own = new SharedStore()) {
            Map<String, String> alone = alone(own);
            alone.put("vivarium.cluster.fencing.end-wait", "1s");
            alone.put("pekko.extensions.0", StubbornActor.class.getName());
            LocalNode node = LocalNode.start(options(alone));
            try {
                own.execute("UPDATE cluster_hold SET holder = '10.0.0.5:25520#1', beat = beat + 1");

                assertThatThrownBy(() -> node.terminated().toCompletableFuture().get(60, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(NodeCutOffException.class);
            } finally {
                StubbornActor.LET_GO.countDown();
            }
        }
    }

    @Test
    void aStoppedClusterReleasesItsStoreImmediately() throws Exception {
        try (SharedStore own = new SharedStore()) {
            Map<String, String> alone = alone(own);
            LocalNode.start(options(alone)).close();

            assertThat(own.text("SELECT holder FROM cluster_hold")).isEmpty();
        }
    }

    @Test
    void aStoreWhoseClusterIsDeadIsTakenOver() throws Exception {
        try (SharedStore own = new SharedStore()) {
            own.execute("UPDATE cluster_hold SET holder = '10.0.0.5:25520#1', beat = 7");
            Map<String, String> alone = alone(own);

            LocalNode.start(options(alone)).close();

            assertThat(own.text("SELECT beat > 8 FROM cluster_hold")).isEqualTo("t");
        }
    }

    @Test
    void invalidSettingsAreNamedByTheirKey() throws IOException {
        refused("vivarium.cluster.formation", "magic").hasMessageContaining("one of alone, seeds, bootstrap");
        refused("vivarium.cluster.seeds.0", "nonsense").hasMessageContaining("\"nonsense\" is not a host:port");
        refused("vivarium.cluster.secret-file", "").hasMessageContaining("vivarium.cluster.secret-file is empty");
        refused("vivarium.cluster.secret-file", store.file("short", "short")).hasMessageContaining("fewer than 16");
        refused("vivarium.cluster.node-name", "a b").hasMessageContaining("vivarium.cluster.node-name is \"a b\"");
        refused("vivarium.store.kind", "embedded")
                .hasMessageContaining("an embedded store can be used by one node only");
        refused("vivarium.store.kind", "papyrus").hasMessageContaining("one of embedded, postgres");
        refused("vivarium.cluster.insecure-nodes-in-clear-text", "off")
                .hasMessageContaining("vivarium.cluster.tls.certificate is empty")
                .hasMessageContaining("vivarium certificates init");
    }

    @Test
    void runsBeginWhileAMemberIsStillStarting() throws Exception {
        try (SharedStore own = new SharedStore()) {
            int seed = Newcomer.freePort();
            LocalNode oldest = LocalNode.start(Newcomer.options(
                    own,
                    seed,
                    folder.resolve("oldest"),
                    Map.of(
                            "vivarium.cluster.port",
                            Integer.toString(seed),
                            "vivarium.cluster.node-name",
                            "oldest",
                            "vivarium.driver.kind",
                            "idle")));
            try (oldest;
                    Member member =
                            Member.thatHasJoined(Newcomer.options(own, seed, folder.resolve("new"), Map.of()))) {
                new ApiClient(
                                oldest.uri(),
                                Credentials.in(folder.resolve("oldest").resolve("token")),
                                RetryPolicy.NONE)
                        .submit(new Submission("any", List.of("true"))
                                .egress("none")
                                .body());

                assertThat(member.isUp()).isTrue();
            }
        }
    }

    /** A node that has joined its cluster and goes no further, like one whose next steps take long. */
    private record Member(Store store, ActorSystem<Guardian.Command> system) implements AutoCloseable {
        static Member thatHasJoined(NodeOptions options) throws NodeStartException {
            NodeConfig given = NodeConfig.of(options.config(), options.overrides());
            ClusterSettings cluster = ClusterSettings.of(given.all());
            Store store = NodeStore.open(given.store(), options.dataDir());
            Config config = NodeCore.layered(given, cluster, store);
            CompletableFuture<Done> joined = new CompletableFuture<>();
            ActorSystem<Guardian.Command> system = Joining.begin(
                    config,
                    cluster,
                    cluster.newFencing(NodeClock.system()),
                    Optional.empty(),
                    joined,
                    Optional.empty());
            Joining.await(system, config, cluster, joined, Optional.empty());
            return new Member(store, system);
        }

        boolean isUp() {
            return Cluster.get(system).selfMember().status().equals(MemberStatus.up());
        }

        @Override
        public void close() {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().join();
            store.close();
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(String key, String value) {
        return refused(Map.of(key, value));
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(Map<String, String> changed) {
        return assertThatThrownBy(() -> LocalNode.start(options(changed)).close())
                .isInstanceOf(NodeStartException.class);
    }

    /** Settings of a single-node cluster on a shared store. */
    private static Map<String, String> alone(SharedStore store) {
        Map<String, String> alone = new HashMap<>(store.settings());
        alone.put("vivarium.cluster.formation", "alone");
        return alone;
    }

    private static NodeOptions options(Map<String, String> changed) {
        return Newcomer.options(store, port, folder.resolve("data"), changed);
    }

    private static int status(String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + managementPort + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
