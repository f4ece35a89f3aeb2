package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The first steps with {@code vivarium cluster}, with real processes. */
@Timeout(900)
class LocalClusterTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ClusterByCommand cluster = new ClusterByCommand();

    @AfterEach
    void takeAway() throws IOException {
        cluster.close();
    }

    @Test
    @Tag("long")
    void aRunOutlivesItsNodeAndNothingIsLeftInTheEnd() throws Exception {
        // given
        ClusterByCommand.Ended up = cluster.up("--nodes", "3");
        assertThat(up.code()).as(up.err()).isZero();
        assertThat(up.out()).contains("node-3").contains(cluster.api(3));
        assertThat(up.err()).contains("has schema");
        assertThat(cluster.states())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("node-1", "READY", "node-2", "READY", "node-3", "READY", "store", "READY"));

        // and: each node keeps what it has seen of the log
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.folder().resolve("node-2/data/audit-checkpoint"))
                        .exists());

        // when: the node that holds a run is killed
        String run = cluster.vivarium(
                        "run",
                        "--server",
                        cluster.api(1),
                        "--detach",
                        "--",
                        "sh",
                        "-c",
                        "echo attempt $VIVARIUM_ATTEMPT; test $VIVARIUM_ATTEMPT -gt 1 || sleep 300")
                .out()
                .strip();
        await().atMost(PATIENCE).until(() -> cluster.vivarium("logs", "--server", cluster.api(1), run)
                .out()
                .equals("attempt 1\n"));
        String holder = cluster.show(1, run).path("node").asText();
        assertThat(cluster.statusOf(holder).path("runs").asInt()).isEqualTo(1);
        Path log = Paths.get(cluster.statusOf(holder).path("log").asText());
        assertThat(log)
                .isEqualTo(cluster.folder().resolve(holder).resolve("log"))
                .exists();
        String number = holder.substring("node-".length());
        long killed = cluster.pid(holder);
        assertThat(cluster.vivarium("cluster", "kill", number).err()).contains(holder + " is killed");
        await().atMost(PATIENCE).until(() -> ProcessHandle.of(killed).isEmpty());
        assertThat(cluster.states()).containsEntry(holder, "GONE");

        // then: the run continues elsewhere
        int survivor = holder.equals("node-1") ? 2 : 1;
        await().atMost(PATIENCE)
                .until(() -> cluster.show(survivor, run).path("status").asText().equals("SUCCEEDED"));
        assertThat(cluster.show(survivor, run).path("attempt").asInt()).isEqualTo(2);
        assertThat(cluster.vivarium("logs", "--server", cluster.api(survivor), run)
                        .out())
                .isEqualTo("attempt 1\nattempt 2\n");

        // when: the missing member is started again, although its old pid now belongs to another process
        Files.writeString(
                cluster.folder().resolve(holder).resolve("pid"),
                ProcessHandle.current().pid() + "\n");
        assertThat(cluster.vivarium("cluster", "stop", number).err()).contains(holder + " did not run");
        ClusterByCommand.Ended again = cluster.vivarium("cluster", "up");
        assertThat(again.code()).as(again.err()).isZero();
        assertThat(cluster.states()).doesNotContainValue("GONE");

        // and: one is frozen, and another stopped in order
        assertThat(cluster.vivarium("cluster", "freeze", "3").code()).isZero();
        assertThat(cluster.states()).containsEntry("node-3", "FROZEN");
        assertThat(cluster.vivarium("cluster", "thaw", "3").code()).isZero();
        assertThat(cluster.vivarium("cluster", "stop", "node-2").err()).contains("node-2 has stopped");
        assertThat(cluster.states()).containsEntry("node-2", "GONE");

        // then: everything ends with a live run
        String left = cluster.vivarium("run", "--server", cluster.api(1), "--detach", "--", "sleep", "300")
                .out()
                .strip();
        await().atMost(PATIENCE)
                .until(() -> cluster.show(1, left).path("status").asText().equals("RUNNING"));
        assertThat(sandboxesOf(left)).isNotEmpty();
        List<Long> processes = List.of(cluster.pid("node-1"), cluster.pid("node-3"), cluster.pid("store"));
        ClusterByCommand.Ended down = cluster.vivarium("cluster", "down");
        assertThat(down.code()).as(down.err()).isZero();
        await().atMost(PATIENCE).until(() -> processes.stream()
                .allMatch(process -> ProcessHandle.of(process).isEmpty()));
        assertThat(sandboxesOf(left)).isEmpty();
        assertThat(cluster.vivarium("cluster", "down", "--purge").code()).isZero();
        assertThat(cluster.folder()).doesNotExist();
    }

    /** The sandboxes that this machine has for a run, of any installation. */
    private static String sandboxesOf(String run) throws IOException, InterruptedException {
        return Commands.run("find", "/run/vivarium/sandboxes", "-name", run + "-*");
    }

    @Test
    void failuresAreReportedInASentence() throws Exception {
        assertThat(cluster.vivarium("cluster", "status"))
                .satisfies(told -> assertThat(told.code()).isEqualTo(66))
                .satisfies(ended -> assertThat(ended.err()).contains("there is no cluster in"));

        assertThat(cluster.vivarium("cluster", "up", "--nodes", "0").err()).contains("--nodes must be from 1 to 9");

        try (ServerSocket taken = new ServerSocket(cluster.httpPort(), 1, InetAddress.getByName("127.0.0.2"))) {
            ClusterByCommand.Ended refused = cluster.up("--nodes", "2");
            assertThat(refused.code()).isEqualTo(69);
            assertThat(refused.err())
                    .contains("127.0.0.2:" + taken.getLocalPort())
                    .contains("--http-port");
        }
        assertThat(cluster.folder().resolve("store")).doesNotExist();

        ClusterByCommand.Ended noJava =
                cluster.vivarium(Map.of("VIVARIUM_CASSANDRA_JAVA_HOME", "/nowhere"), "cluster", "up", "--nodes", "2");
        assertThat(noJava.code()).isEqualTo(69);
        assertThat(noJava.err()).contains("Cassandra needs Java 17").contains("/nowhere");
    }

    @Test
    @Tag("long")
    void ofANodeThatCannotStartTheEndOfItsLogIsPrinted() throws Exception {
        ClusterByCommand.Ended ended = cluster.up("--nodes", "1", "--set", "vivarium.limits.default.pids=none");
        assertThat(ended.code()).isEqualTo(69);
        assertThat(ended.err())
                .contains("node-1 has ended")
                .contains("Invalid value at 'pids': must be a count, a whole number");
        assertThat(cluster.vivarium("cluster", "kill", "7").err()).contains("there is no member '7'");
    }
}
