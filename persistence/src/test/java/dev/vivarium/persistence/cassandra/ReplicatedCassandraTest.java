package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three servers that each keep everything, as in production: any one of them may be down. */
@Tag("long")
@Timeout(600)
class ReplicatedCassandraTest {
    private static final int SERVERS = 3;
    private static final int FIRST_RUN = 22_000;
    private static final String INSTALLATION = "01k0testtesttesttesttestte";

    @TempDir
    Path keys;

    @Test
    void withOneOfThreeReplicasDownHistoriesGrowAndNothingIsLost() throws Exception {
        List<CassandraServer> servers = CassandraServer.startReplicas(SERVERS);
        try {
            CassandraSettings settings = settings(servers);
            CassandraStore.prepare(settings, INSTALLATION);
            CassandraStore store = CassandraStore.open(settings);
            try (SteadyWriters writers = new SteadyWriters(store, FIRST_RUN)) {
                writers.awaitMore(10);
                for (CassandraServer away : servers) {
                    // Writes during the previous server's outage must now be read from it and one other.
                    away.kill();
                    Map<RunId, Long> atTheKill = writers.acknowledged();
                    writers.awaitMore(20);
                    writers.assertAllThere(atTheKill);
                    away.startAgain();
                    writers.awaitMore(5);
                }
                writers.assertAllThere(writers.acknowledged());
                assertThat(store.projectionLag()).isLessThan(Duration.ofSeconds(30));
            } finally {
                store.close();
            }
        } finally {
            servers.forEach(CassandraServer::close);
        }
    }

    private CassandraSettings settings(List<CassandraServer> servers) {
        return new CassandraSettings(
                servers.stream()
                        .map(server -> server.address().getHostString() + ":"
                                + server.address().getPort())
                        .toList(),
                servers.get(0).datacenter(),
                "vivarium_replicated",
                Optional.empty(),
                new CassandraSettings.Replication(
                        CassandraSettings.Replication.Strategy.NetworkTopologyStrategy, SERVERS),
                keys.resolve("master.key"),
                Duration.ZERO,
                ConfigFactory.empty());
    }
}
