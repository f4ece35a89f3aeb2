package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.follow.JournalFollower;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cassandra's peculiarities of following the journal; the rest is in RunIndexContract and FenceAndSweepTest. */
class CassandraRunFeedTest {
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

    @Test
    void aNewVersionOfTheListRebuildsAllRowsAndNoOlderOneRevertsThem() throws InterruptedException {
        RunId run = Fixtures.run(31_001);
        writer.write(run, Fixtures.success(run, Instant.now(), Map.of()));
        awaitStatus(run, RunStatus.SUCCEEDED);
        CassandraStore store = CASSANDRA.store();
        Clock clock = Clock.systemUTC();
        RunList list = new RunList(new RunList().version() + 1);
        RunIndexTables tables = new RunIndexTables(store.cassandra(), list.version());
        assertThat(join(tables.row(run))).isEmpty();
        ChangedRuns changed = new ChangedRuns(clock);
        JournalFollower<RunView> next = new JournalFollower<>(
                list,
                new CassandraRunFeed(store.cassandra(), store.journal(), tables, changed, clock),
                EventCodec.standard(),
                clock);
        try (next) {
            next.start();
            new LiveRunSweep(store.journal(), tables, changed, list.name(), clock).sweep(() -> true);
        }

        dev.vivarium.persistence.follow.Row<RunView> row = join(tables.row(run)).orElseThrow();
        assertThat(row.seq()).isEqualTo(4);
        assertThat(join(tables.isOfOtherVersion(list.name()))).isFalse();

        join(store.tables().write(row, RunList.write(row.content())));
        assertThat(join(tables.row(run))).contains(row);
    }

    @Test
    void aRunThatAnOlderVersionCouldNotReadIsListedWhenANewerOneStarts() {
        RunId run = Fixtures.run(31_002);
        List<JournalEntry> entries = JournalWriter.entries(run, Fixtures.success(run, Instant.now(), Map.of()));
        JournalEntry newer = new JournalEntry(
                "RunTeleported", 1, Blob.ofUtf8("{}"), entries.get(2).hash(), Blob.EMPTY);
        writer.writeEntries(run, List.of(entries.get(0), entries.get(1), entries.get(2), newer));
        await().atMost(Duration.ofSeconds(5)).until(() -> CASSANDRA.store().unreadableRuns() == 1);
        awaitStatus(run, RunStatus.RUNNING);
        // given: an entry that only the next version can read
        replace(run, 4, entries.get(3));

        try (CassandraStore upgraded = CassandraStore.open(CASSANDRA.settings())) {
            awaitStatus(run, RunStatus.SUCCEEDED);
            await().atMost(Duration.ofSeconds(5)).until(() -> upgraded.unreadableRuns() == 0);
        }
    }

    private static void replace(RunId run, long seq, JournalEntry entry) {
        Cassandra cassandra = CASSANDRA.store().cassandra();
        String journal = RunPersistenceId.of(run).id();
        Row row = join(cassandra.rows(
                        "test",
                        "SELECT timestamp FROM messages WHERE persistence_id = ? AND partition_nr = 0"
                                + " AND sequence_nr = ?",
                        journal,
                        seq))
                .get(0);
        join(cassandra.write(
                "test",
                "UPDATE messages SET event = ? WHERE persistence_id = ? AND partition_nr = 0 AND sequence_nr = ?"
                        + " AND timestamp = ?",
                ByteBuffer.wrap(JournalEntryFormat.write(entry)),
                journal,
                seq,
                row.getUuid(0)));
    }

    private static void awaitStatus(RunId run, RunStatus status) {
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> assertThat(
                        join(CASSANDRA.store().tables().view(run.value())).map(RunView::status))
                .contains(status));
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
