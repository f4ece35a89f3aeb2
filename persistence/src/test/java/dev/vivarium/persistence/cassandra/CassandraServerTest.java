package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlSession;
import org.junit.jupiter.api.Test;

class CassandraServerTest {
    @Test
    void acknowledgedWritesSurviveAKill() throws Exception {
        CassandraServer server = TestCassandra.server();
        try (CqlSession session = session(server)) {
            session.execute(
                    "CREATE KEYSPACE kept WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            session.execute("CREATE TABLE kept.value (id int PRIMARY KEY, value int)");
            session.execute("INSERT INTO kept.value (id, value) VALUES (1, 42)");
        }

        server.kill();
        server.startAgain();

        try (CqlSession session = session(server)) {
            assertThat(session.execute("SELECT value FROM kept.value WHERE id = 1")
                            .one()
                            .getInt(0))
                    .isEqualTo(42);
        }
    }

    private static CqlSession session(CassandraServer server) {
        return CqlSession.builder()
                .addContactPoint(server.address())
                .withLocalDatacenter(server.datacenter())
                .build();
    }
}
