package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.assembly.ConfiguredStorePreparer;
import dev.vivarium.persistence.cassandra.CassandraServer;
import dev.vivarium.persistence.cassandra.OwnCassandra;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A node whose store is a Cassandra cluster works like any other. */
@Timeout(300)
class NodeOnCassandraTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    static final OwnCassandra CASSANDRA = new OwnCassandra();

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @TempDir
    Path folder;

    @Test
    void runsAreStoredListedAndRecoveredAfterNodeAndStoreAreKilled() throws Exception {
        Path config = config(CASSANDRA.server());
        assertThat(new ConfiguredStorePreparer().prepare(Optional.of(config), Map.of()))
                .containsPattern("has schema \\d+,")
                .contains("master.key");

        String sleeper;
        try (WholeNode node = node(config)) {
            String done = node.submit(Agent.python("import os; print('hello', os.environ['KEY'])")
                            .secret("KEY", "hush"))
                    .acceptedRun();
            assertThat(node.awaitEnd(done).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(node.printed(done)).isEqualTo("hello hush\n");
            awaitListed(node, "status=SUCCEEDED", done);
            sleeper = node.submit(Agent.sleeper()).acceptedRun();
            node.awaitPrinted(sleeper, "attempt 1");
            awaitListed(node, "status=RUNNING", sleeper);
            node.kill();
        }

        try (WholeNode node = node(config)) {
            node.awaitPrinted(sleeper, "attempt 2");

            // when: the store is unavailable
            CASSANDRA.server().kill();
            await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 503);
            node.submit(Agent.sleeper()).assertProblem(503, "store-unavailable");
            CASSANDRA.server().startAgain();

            // then: node and run continue without intervention
            await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 200);
            assertThat(node.status(sleeper)).isEqualTo("RUNNING");
            await().atMost(PATIENCE)
                    .ignoreExceptions()
                    .until(() -> node.post("/v1/runs/" + sleeper + "/cancel").status() < 300);
            assertThat(node.awaitEnd(sleeper).path("status").asText()).isEqualTo("CANCELLED");
            awaitListed(node, "status=CANCELLED", sleeper);
            awaitListed(node, "status=RUNNING");
        }
    }

    private WholeNode node(Path config) throws IOException {
        return WholeNode.on(data).with("--config", config.toString()).go();
    }

    private Path config(CassandraServer server) throws IOException {
        return Files.writeString(
                folder.resolve("node.conf"),
                """
                vivarium.store {
                  kind = cassandra
                  cassandra {
                    contact-points = ["127.0.0.1:%d"]
                    datacenter = %s
                    replication { class = SimpleStrategy, factor = 1 }
                    master-key = "%s"
                  }
                }
                """
                        .formatted(server.address().getPort(), server.datacenter(), folder.resolve("master.key")));
    }

    private static void awaitListed(WholeNode node, String query, String... runs) {
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            JsonNode listed = node.get("/v1/runs?" + query).body().path("runs");
            List<String> ids = StreamSupport.stream(listed.spliterator(), false)
                    .map(run -> run.path("id").asText())
                    .toList();
            assertThat(ids).containsExactly(runs);
        });
    }
}
