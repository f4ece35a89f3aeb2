package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.audit.AuditBatch;
import dev.vivarium.persistence.audit.AuditContract;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.audit.AuditTables.Seat;
import dev.vivarium.persistence.audit.Block;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.Blob;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraAuditTest extends AuditContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static JournalWriter writer;

    @BeforeAll
    static void startWriter() {
        writer = new JournalWriter(CASSANDRA.store());
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
        return tables();
    }

    private static CassandraAudit tables() {
        CassandraStore store = CASSANDRA.store();
        return new CassandraAudit(
                store.cassandra(), store.journal(), store.tables(), Clock.systemUTC(), MonotonicClock.system());
    }

    @Test
    void aBatchThatWasDecidedOnIsFinishedByTheNextSequencerAndLateWritesChangeNothing() throws IOException {
        // given: a sequencer that dies after its batch was decided on, when some rows are written
        CassandraAudit dying = tables();
        Seat seat = dying.takeOver();
        success(1, Map.of());
        AuditBatch batch = offer(dying, seat);
        execute(
                "UPDATE audit_head SET size = ?, batch_epoch = ? WHERE id = 'vivarium' IF epoch = ?",
                batch.end(),
                seat.epoch(),
                seat.epoch());
        AuditRows rows = new AuditRows(CASSANDRA.store().cassandra());
        rows.write(new AuditBatch(
                batch.first(), batch.entries().subList(0, 2), List.of(), batch.counts(), batch.blocks()));
        assertThat(own(AuditOrder.OLDEST)).isEmpty();

        // when: another takes over and goes on
        success(2, Map.of());
        sequence();
        // and: what the first one had still to write arrives
        rows.write(batch);
        success(3, Map.of());
        sequence();

        assertWholeOrder();
        assertThat(own(AuditOrder.OLDEST)).hasSize(12);
    }

    @Test
    void aBatchThatWasNotDecidedOnIsNeverSeen() throws IOException {
        CassandraAudit dying = tables();
        Seat seat = dying.takeOver();
        success(1, Map.of());
        offer(dying, seat);

        success(2, Map.of());
        sequence();

        assertWholeOrder();
        assertThat(own(AuditOrder.OLDEST)).hasSize(8);
    }

    @Test
    void aRunThatHasAllItsPositionsIsNoLongerLookedFor() {
        success(1, Map.of());
        sequence();

        RunIndexTables tables = CASSANDRA.store().tables();
        assertThat(Cassandra.await(tables.buckets(RunIndexTables.PENDING, 0, Long.MAX_VALUE)))
                .isNotEmpty()
                .allSatisfy(bucket -> assertThat(Cassandra.await(tables.pending(bucket)))
                        .extracting(RunIndexTables.Place::run)
                        .doesNotContain(run(1).value()));
    }

    /** By hand in CQL, as whoever has the store's password could; the check of all events names each. */
    @Test
    void whatIsTamperedWithInTheStoreIsNamedByACheckOfAllEvents() {
        success(1, Map.of());
        sequence();
        long position = own(AuditOrder.OLDEST).get(1).position();
        Cassandra cassandra = CASSANDRA.store().cassandra();
        Row row = Cassandra.await(cassandra.rows(
                        "test",
                        "SELECT * FROM audit_event WHERE block = ? AND position = ?",
                        Block.of(position),
                        position))
                .get(0);
        JournalEntry entry = tables().entries(
                        AuditFilter.ALL, new AuditTables.Window(position, position + 1), AuditOrder.OLDEST, 1)
                .get(0)
                .entry();
        JournalEntry forged =
                new JournalEntry(entry.type(), entry.version(), Blob.ofUtf8("{}"), entry.previousHash(), entry.hash());

        write(
                "UPDATE audit_event SET entry = ? WHERE block = ? AND position = ?",
                ByteBuffer.wrap(JournalEntryFormat.write(forged)),
                Block.of(position),
                position);
        assertThat(faults())
                .singleElement()
                .asString()
                .startsWith("Position " + position + " (event 2 of run " + run(1))
                .contains("was changed");

        write("DELETE FROM audit_event WHERE block = ? AND position = ?", Block.of(position), position);
        assertThat(faults())
                .containsExactly("The event at position " + position
                        + " was removed: the store has nothing there, and no act says that this was to be deleted.");

        List<String> columns = new ArrayList<>();
        row.getColumnDefinitions()
                .forEach(column -> columns.add(column.getName().asInternal()));
        write(
                "INSERT INTO audit_event (" + String.join(", ", columns) + ") VALUES ("
                        + String.join(", ", Collections.nCopies(columns.size(), "?")) + ")",
                columns.stream().map(row::getObject).toArray());
        assertThat(faults().get(0)).contains("all of them and as they were written");
    }

    @Test
    void theLogIsCheckedStraightFromTheKeyspaceWithoutTheMasterKey() {
        success(1, Map.of());
        sequence();

        assertThat(checked(CassandraStore.log(CASSANDRA.settings())).verdict()).isEqualTo(Verify.Verdict.PROVEN);
    }

    /** The order has a copy of each event, so an export does not show what was done to the journal. */
    @Test
    void whatIsTamperedWithInTheJournalAloneIsNamedByTheNodesCheck() {
        success(1, Map.of());
        sequence();
        assertThat(checkFindings()).isEmpty();
        Cassandra cassandra = CASSANDRA.store().cassandra();
        String journal = "run|" + run(1);
        Row row = Cassandra.await(cassandra.rows(
                        "test",
                        "SELECT * FROM messages WHERE persistence_id = ? AND partition_nr = 0 AND sequence_nr = 2",
                        journal))
                .get(0);
        List<String> columns = new ArrayList<>();
        row.getColumnDefinitions()
                .forEach(column -> columns.add(column.getName().asInternal()));

        write("DELETE FROM messages WHERE persistence_id = ? AND partition_nr = 0 AND sequence_nr = 2", journal);

        assertThat(checkFindings())
                .singleElement()
                .asString()
                .startsWith("In the journal, run " + run(1) + ": Event 2 was removed");
        write(
                "INSERT INTO messages (" + String.join(", ", columns) + ") VALUES ("
                        + String.join(", ", Collections.nCopies(columns.size(), "?")) + ")",
                columns.stream().map(row::getObject).toArray());
        assertThat(checkFindings()).isEmpty();
    }

    private static void write(String cql, Object... values) {
        Cassandra.await(CASSANDRA.store().cassandra().write("test", cql, values));
    }

    private AuditBatch offer(CassandraAudit tables, Seat seat) throws IOException {
        tables.changed(List.of(run(1)));
        AuditBatch batch = batch(tables, seat, tables.next(tables::facts));
        assertThat(batch.entries()).isNotEmpty();
        execute(
                "INSERT INTO audit_batch (epoch, first, content) VALUES (?, ?, ?)",
                seat.epoch(),
                batch.first(),
                ByteBuffer.wrap(JournalJson.MAPPER.writeValueAsBytes(batch)));
        return batch;
    }

    private static void execute(String cql, Object... values) {
        Cassandra.await(CASSANDRA.store().cassandra().ifSo("test", List.of(new Cassandra.Cql(cql, values))));
    }
}
