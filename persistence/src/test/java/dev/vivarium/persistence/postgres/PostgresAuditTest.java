package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.AuditContract;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditSequencer;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.audit.Verify;
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

    /** By hand in SQL, as whoever has the store's password could; the check of all events names each. */
    @Test
    void whatIsTamperedWithInTheStoreIsNamedByACheckOfAllEvents() throws SQLException {
        success(1, Map.of());
        sequence();
        long first = own(AuditOrder.OLDEST).get(0).position();
        String second = "persistence_id = 'run|" + run(1) + "' AND sequence_number = 2";
        execute("CREATE TABLE kept AS SELECT * FROM event_journal WHERE " + second);
        execute("CREATE TABLE kept_order AS SELECT * FROM audit_event WHERE position = " + (first + 1));

        execute("UPDATE event_journal SET event_payload = event_payload || 'x'::bytea WHERE " + second);
        assertThat(faults())
                .singleElement()
                .asString()
                .startsWith("Position " + (first + 1) + " (event 2 of run " + run(1))
                .contains("was changed");

        assertThat(checkFindings()).isEqualTo(faults());

        execute("DELETE FROM event_journal WHERE " + second);
        assertThat(faults())
                .singleElement()
                .asString()
                .startsWith("Position " + (first + 1))
                .endsWith("the journal has it no more.");
        execute("INSERT INTO event_journal SELECT * FROM kept");

        execute("DELETE FROM audit_event WHERE position = " + (first + 1));
        assertThat(faults())
                .containsExactly("The event at position " + (first + 1)
                        + " was removed: the store has nothing there, and no act says that this was to be deleted.");
        execute("INSERT INTO audit_event SELECT * FROM kept_order");

        exchange(first + 1, first + 2);
        assertThat(faults().get(0))
                .startsWith("Position " + (first + 1))
                .endsWith("was moved: it was written at position " + (first + 2) + ".");
        exchange(first + 1, first + 2);

        assertThat(faults().get(0)).contains("all of them and as they were written");
        execute("DROP TABLE kept; DROP TABLE kept_order");
    }

    @Test
    void theLogIsCheckedStraightFromTheDatabaseWithNothingElseOpened() {
        success(1, Map.of());
        sequence();

        Verify.Report report = checked(PostgresStore.log(POSTGRES.address()));

        assertThat(report.verdict()).isEqualTo(Verify.Verdict.PROVEN);
        assertThat(report.sentences())
                .contains("The journal's entries of these runs are those that the log has.")
                .anyMatch(sentence -> sentence.startsWith("Log example.org/vivarium, "));
    }

    @Test
    void aHashThatSomebodyChangedBesideItsEventIsFoundByTheNodesCheck() throws SQLException {
        success(1, Map.of());
        sequence();
        String second = "persistence_id = 'run|" + run(1) + "' AND sequence_number = 2";
        execute("CREATE TABLE kept AS SELECT * FROM event_journal WHERE " + second);

        // when: a byte behind the type, its end and the hash before
        execute(
                "UPDATE event_journal SET event_payload = set_byte(event_payload, 60, 255 - get_byte(event_payload, 60))"
                        + " WHERE " + second);

        assertThat(checkFindings())
                .containsExactly("Event 2 of run " + run(1)
                        + " (AttemptStarting) has another hash beside it in the journal than that of its content.");
        execute("DELETE FROM event_journal WHERE " + second);
        execute("INSERT INTO event_journal SELECT * FROM kept; DROP TABLE kept");
        assertThat(checkFindings()).isEmpty();
    }

    /** What the node's own check finds beyond that: it has the journal to compare with. */
    @Test
    void entriesThatSomebodyPutIntoTheJournalAreFoundByTheNodesCheck() throws SQLException {
        success(1, Map.of());
        sequence();
        assertThat(checkFindings()).isEmpty();
        String last = "persistence_id = 'run|" + run(1) + "' AND sequence_number = 4";

        // given: one more event of a run that has ended, where the sequencer has passed already
        execute("INSERT INTO event_journal (persistence_id, sequence_number, writer, event_ser_id, event_ser_manifest,"
                + " event_payload, transaction_id) SELECT persistence_id, 5, writer, event_ser_id,"
                + " event_ser_manifest, event_payload, '3' FROM event_journal WHERE " + last);
        // and: a run that never was
        execute("INSERT INTO event_journal (persistence_id, sequence_number, writer, event_ser_id, event_ser_manifest,"
                + " event_payload, transaction_id) SELECT 'run|" + run(2) + "', 1, writer, event_ser_id,"
                + " event_ser_manifest, event_payload, '3' FROM event_journal WHERE " + last);

        assertThat(checkFindings())
                .contains("Event 5 of run " + run(1)
                        + " (RunSucceeded) was inserted into the journal: event 4 has ended the run.")
                .contains("Event 1 of run " + run(2)
                        + " was inserted into the journal, or its position was removed: it has none.");
        execute("DELETE FROM event_journal WHERE transaction_id = '3'");
        assertThat(checkFindings()).isEmpty();
    }

    private static void exchange(long one, long other) throws SQLException {
        execute("UPDATE audit_event SET position = -1 WHERE position = " + one);
        execute("UPDATE audit_event SET position = " + one + " WHERE position = " + other);
        execute("UPDATE audit_event SET position = " + other + " WHERE position = -1");
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static AuditHead head(AuditLog log) {
        return log.head().toCompletableFuture().join();
    }
}
