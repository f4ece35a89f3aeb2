package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.AuditContract;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditSequencer;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.protocol.api.AuditHead;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresAuditTest extends AuditContract {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static JournalWriter writer;

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(POSTGRES.store());
    }

    @AfterAll
    static void stopWriter() {
        writer.close();
    }

    @Override
    protected JournalWriter writer() {
        return writer;
    }

    @Override
    protected AuditTables node() {
        return new PostgresAudit(POSTGRES.store().database());
    }

    @Test
    void anEventThatIsCommittedLateIsWaitedForAndTheLagSaysSo() throws SQLException {
        AuditLog log = POSTGRES.store().audit();
        AuditSequencer sequencer = log.guarded(guard()).sequence();
        try (Connection slow = POSTGRES.connect()) {
            slow.setAutoCommit(false);
            // given: a transaction that took its number first and commits last
            JournalRows.write(slow, run(1), List.of(Fixtures.submitted(run(1))));
            long before = head(log).size();
            success(2, Map.of());
            // when: the sequencer has looked several times
            await().atMost(Duration.ofSeconds(10)).until(() -> head(log).lagMillis() > 600);
            // then: it has not passed the gap
            assertThat(head(log).size()).isEqualTo(before);
            slow.commit();
            await().atMost(Duration.ofSeconds(10)).until(() -> head(log).size() == before + 5);
            assertThat(head(log).lagMillis()).isZero();
        } finally {
            sequencer.close();
        }
    }

    @Test
    void aDatabaseRestoredFromAnotherServerGoesOnWithoutAGapOrADuplicate() throws SQLException {
        success(1, Map.of());
        sequence();
        long before = head(POSTGRES.store().audit()).size();
        // given: a dump's transaction ids of the other server, which are far ahead of this server's
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE event_journal SET transaction_id = '777000000001';"
                    + " UPDATE projection_offset SET transaction_id = '777000000000', ordering = 0");
        }

        success(2, Map.of());
        sequence();

        assertThat(head(POSTGRES.store().audit()).size()).isEqualTo(before + 4);
    }

    private static AuditHead head(AuditLog log) {
        return log.head().toCompletableFuture().join();
    }
}
