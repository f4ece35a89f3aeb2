package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.FencedOff;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.journal.JournalEntrySerializer;
import dev.vivarium.persistence.journal.RememberingEntry;
import dev.vivarium.persistence.journal.RememberingEntry.Change;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.postgres.JournalWrite.JournalRow;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.pekko.Done;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** On a real server. Writes that must wait together do so behind a lock on the table. */
@Timeout(120)
class GroupCommitTest {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private static final GroupCommit.Limits LIMITS =
            new GroupCommit.Limits(20_000, 64 << 20, 500, Duration.ofSeconds(60), Duration.ofSeconds(20));
    private static final Duration BRIEFLY = Duration.ofMillis(300);
    private static final String SHARD = "7";
    private static final AtomicInteger RUNS = new AtomicInteger(20_000);

    private final List<GroupCommit> started = new ArrayList<>();
    private final RunId run = newRun();

    @AfterEach
    void close() {
        started.forEach(GroupCommit::close);
    }

    @Test
    void tenThousandWritesOfManyThreadsAreAllThereInOrder() throws Exception {
        GroupCommit commit = commit();
        List<RunId> runs = IntStream.range(0, 100).mapToObj(number -> newRun()).toList();
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<?>> writing = new ArrayList<>();
            for (RunId one : runs) {
                writing.add(threads.submit(() ->
                        LongStream.rangeClosed(1, 100).forEach(seq -> join(commit.write(write(one, "writer", seq))))));
            }
            for (Future<?> one : writing) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }

        for (RunId one : runs) {
            assertThat(seqs(one))
                    .isEqualTo(LongStream.rangeClosed(1, 100).boxed().toList());
        }
        assertThat(text("SELECT count(DISTINCT transaction_id) FROM event_journal WHERE persistence_id IN ('"
                        + String.join(
                                "','",
                                runs.stream().map(GroupCommitTest::journal).toList()) + "')"))
                .as("transactions: far fewer than writes")
                .satisfies(count -> assertThat(Integer.parseInt(count)).isLessThan(9_000));
    }

    @Test
    void writesThatWaitTogetherAreOneTransaction() throws Exception {
        GroupCommit commit = commit();
        RunId other = newRun();
        List<CompletableFuture<Done>> waiting;
        try (TableLock lock = new TableLock()) {
            waiting = List.of(
                    write(commit, newRun(), 1),
                    write(commit, run, 1, 2),
                    write(commit, other, 1),
                    write(commit, run, 3));
            lock.awaitWriter();
        }
        waiting.forEach(CompletableFuture::join);

        assertThat(seqs(run)).containsExactly(1L, 2L, 3L);
        assertThat(text("SELECT count(DISTINCT transaction_id) FROM event_journal WHERE persistence_id IN ('"
                        + journal(run) + "','" + journal(other) + "')"))
                .isEqualTo("1");
    }

    @Test
    void aBadWriteFailsNobodyElseOfItsGroup() throws Exception {
        GroupCommit commit = commit();
        join(commit.write(write(run, "first", 1)));
        RunId before = newRun();
        RunId after = newRun();
        CompletableFuture<Done> taken;
        CompletableFuture<Done> malformed;
        List<CompletableFuture<Done>> good;
        try (TableLock lock = new TableLock()) {
            CompletableFuture<Done> holdingUp = write(commit, newRun(), 1);
            CompletableFuture<Done> earlier = write(commit, before, 1);
            taken = commit.write(write(run, "second", 1, 2)).toCompletableFuture();
            malformed = commit.write(new JournalWrite(
                            journal(newRun()),
                            "writer",
                            List.of(new JournalRow(1, 0, "", 1, "x".repeat(300), Blob.EMPTY)),
                            List.of()))
                    .toCompletableFuture();
            good = List.of(holdingUp, earlier, write(commit, after, 1));
            lock.awaitWriter();
        }

        good.forEach(CompletableFuture::join);
        assertThatThrownBy(taken::join)
                .hasCauseInstanceOf(FencedOff.class)
                .hasMessageContaining("Entry 1 of " + journal(run));
        assertThatThrownBy(malformed::join)
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("The store cannot write event 1 of");
        assertThat(seqs(before)).containsExactly(1L);
        assertThat(seqs(after)).containsExactly(1L);
        assertThat(text("SELECT string_agg(writer, ',') FROM event_journal WHERE persistence_id = '" + journal(run)
                        + "'"))
                .isEqualTo("first");
    }

    @Test
    void aRunIsRememberedWithItsFirstEntryAndForgottenWithItsLast() throws SQLException {
        GroupCommit commit = commit();

        join(commit.write(changing(run, Change.REMEMBER, 1, 2)));
        assertThat(remembered()).contains(run.value());
        join(commit.write(changing(run, Change.FORGET, 3)));
        assertThat(remembered()).doesNotContain(run.value());
        assertThat(seqs(run)).containsExactly(1L, 2L, 3L);
    }

    @Test
    void aRefusedWriteChangesNoMemory() throws SQLException {
        GroupCommit commit = commit();
        RunId live = newRun();
        join(commit.write(write(run, "first", 1)));
        join(commit.write(changing(live, Change.REMEMBER, 1)));

        assertThatThrownBy(() -> join(commit.write(changing(run, Change.REMEMBER, 1))))
                .hasCauseInstanceOf(FencedOff.class);
        assertThatThrownBy(() -> join(commit.write(changing(live, Change.FORGET, 1))))
                .hasCauseInstanceOf(FencedOff.class);

        assertThat(remembered()).contains(live.value()).doesNotContain(run.value());
    }

    /** The server has committed, and the connection broke before it said so. */
    @Test
    void aWriteWhoseAnswerIsLostSucceedsOnceBecauseItIsThere() throws SQLException {
        AtomicInteger answersToLose = new AtomicInteger(1);
        GroupCommit commit = commit(LIMITS, () -> new Unreliable(answersToLose));

        join(commit.write(changing(run, Change.REMEMBER, 1)));
        join(commit.write(write(run, "writer", 2)));

        assertThat(answersToLose).hasValue(0);
        assertThat(seqs(run)).containsExactly(1L, 2L);
        assertThat(remembered()).contains(run.value());
    }

    @Test
    void aWriteWhoseAnswerIsLostFailsWhenTheEntryIsAnotherWriters() throws SQLException {
        join(commit().write(write(run, "another", 1)));
        AtomicInteger answersToLose = new AtomicInteger(1);
        GroupCommit commit = commit(LIMITS, () -> new Unreliable(answersToLose));
        join(commit.write(write(newRun(), "writer", 1)));
        answersToLose.set(1);

        assertThatThrownBy(() -> join(commit.write(write(run, "writer", 1)))).hasCauseInstanceOf(FencedOff.class);
    }

    @Test
    void aConnectionThatIsEndedInTheMiddleIsReplaced() throws Exception {
        GroupCommit commit = commit();
        CompletableFuture<Done> write;
        try (TableLock lock = new TableLock()) {
            write = write(commit, run, 1, 2);
            lock.awaitWriter();
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vivarium-journal'"
                    + " AND wait_event_type = 'Lock'");
            lock.awaitWriter();
        }

        write.join();
        assertThat(seqs(run)).containsExactly(1L, 2L);
    }

    @Test
    void writesGoOnWhenTheServerIsKilledInTheMiddle() throws Exception {
        GroupCommit commit = commit();
        List<RunId> runs = IntStream.range(0, 8).mapToObj(number -> newRun()).toList();
        AtomicInteger written = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(runs.size());
        try {
            List<Future<?>> writing = new ArrayList<>();
            for (RunId one : runs) {
                writing.add(threads.submit(() -> LongStream.rangeClosed(1, 300).forEach(seq -> {
                    join(commit.write(write(one, "writer", seq)));
                    written.incrementAndGet();
                })));
            }
            for (int kill = 1; kill <= 2; kill++) {
                int some = kill * 600;
                await().pollInterval(Duration.ofMillis(2)).until(() -> written.get() > some);
                POSTGRES.killServer();
            }
            for (Future<?> one : writing) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }

        for (RunId one : runs) {
            assertThat(seqs(one))
                    .isEqualTo(LongStream.rangeClosed(1, 300).boxed().toList());
        }
    }

    @Test
    void aWriteThatFindsNoConnectionInTimeIsRefusedWithTheReason() {
        GroupCommit.Limits brief = new GroupCommit.Limits(100, 1 << 20, 10, BRIEFLY, BRIEFLY);
        GroupCommit commit = commit(brief, () -> {
            throw new SQLException("nobody is there.", "08001");
        });

        assertThatThrownBy(() -> join(commit.write(write(run, "writer", 1))))
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("The store cannot write event 1 of " + journal(run) + ": nobody is there.");
    }

    @Test
    void aFullQueueRefusesWithASentence() throws Exception {
        GroupCommit commit = commit(
                new GroupCommit.Limits(2, 1 << 20, 500, Duration.ofSeconds(60), Duration.ofSeconds(20)),
                () -> JournalConnection.to(POSTGRES.address()));
        List<CompletableFuture<Done>> accepted = new ArrayList<>();
        CompletableFuture<Done> refused;
        try (TableLock lock = new TableLock()) {
            accepted.add(write(commit, newRun(), 1));
            lock.awaitWriter();
            accepted.add(write(commit, newRun(), 1, 2));
            refused = write(commit, run, 1);
            assertThat(refused).isCompletedExceptionally();
        }

        accepted.forEach(CompletableFuture::join);
        assertThatThrownBy(refused::join)
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("2 events with")
                .hasMessageContaining("vivarium-journal.events-waiting-max");
        assertThat(seqs(run)).isEmpty();
    }

    @Test
    void whatWasAcceptedIsStillWrittenWhenItIsClosed() throws Exception {
        GroupCommit commit = commit();
        List<CompletableFuture<Done>> accepted;
        try (TableLock lock = new TableLock()) {
            accepted = List.of(write(commit, newRun(), 1), write(commit, run, 1));
            lock.awaitWriter();
            commit.shutDown();
            assertThatThrownBy(() -> join(commit.write(write(newRun(), "writer", 1))))
                    .hasMessageContaining("the store is closed");
        }
        commit.close();

        assertThat(accepted).allMatch(write -> write.isDone() && !write.isCompletedExceptionally());
        assertThat(seqs(run)).containsExactly(1L);
    }

    @Test
    void whatCannotBeWrittenInTimeFailsWhenItIsClosed() throws Exception {
        GroupCommit commit = commit(
                new GroupCommit.Limits(100, 1 << 20, 500, Duration.ofSeconds(60), BRIEFLY),
                () -> JournalConnection.to(POSTGRES.address()));
        CompletableFuture<Done> written;
        CompletableFuture<Done> waiting;
        try (TableLock lock = new TableLock()) {
            written = write(commit, newRun(), 1);
            lock.awaitWriter();
            waiting = write(commit, run, 1);
            commit.close();

            assertThatThrownBy(written::join).hasMessageContaining("whether it is written could not be found out");
            assertThatThrownBy(waiting::join).hasMessageContaining("the store is closed");
        }
        assertThat(seqs(run)).isEmpty();
    }

    // ---- fixtures

    private static RunId newRun() {
        return Fixtures.run(RUNS.incrementAndGet());
    }

    private static String journal(RunId run) {
        return RunPersistenceId.of(run).id();
    }

    private GroupCommit commit() {
        return commit(LIMITS, () -> JournalConnection.to(POSTGRES.address()));
    }

    private GroupCommit commit(GroupCommit.Limits limits, GroupCommit.Connector connector) {
        GroupCommit commit = GroupCommit.start(connector, limits, MonotonicClock.system());
        started.add(commit);
        return commit;
    }

    private static CompletableFuture<Done> write(GroupCommit commit, RunId run, long... seqs) {
        return commit.write(write(run, "writer", seqs)).toCompletableFuture();
    }

    private static JournalWrite write(RunId run, String writer, long... seqs) {
        return new JournalWrite(journal(run), writer, rows(run, seqs), List.of());
    }

    private static JournalWrite changing(RunId run, Change change, long... seqs) {
        return new JournalWrite(
                journal(run), "writer", rows(run, seqs), List.of(new RememberingEntry(entry(run), SHARD, run, change)));
    }

    private static List<JournalRow> rows(RunId run, long... seqs) {
        Blob payload = Blob.of(JournalEntryFormat.write(entry(run)));
        return LongStream.of(seqs)
                .mapToObj(seq -> new JournalRow(
                        seq, 0, "", JournalEntrySerializer.IDENTIFIER, JournalEntryFormat.MANIFEST, payload))
                .toList();
    }

    private static JournalEntry entry(RunId run) {
        return EventCodec.standard().encode(Fixtures.submitted(run), EventCodec.genesis(run));
    }

    /** The numbers of a run's entries in the order in which the list of runs reads them. */
    private static List<Long> seqs(RunId run) throws SQLException {
        List<Long> seqs = new ArrayList<>();
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT sequence_number FROM event_journal WHERE persistence_id = '"
                                + journal(run) + "' ORDER BY transaction_id, ordering")) {
            while (rows.next()) {
                seqs.add(rows.getLong(1));
            }
        }
        return seqs;
    }

    private static String remembered() throws SQLException {
        return text("SELECT coalesce(string_agg(run_id, ','), '') FROM remembered_run WHERE shard = '" + SHARD + "'");
    }

    private static String text(String query) throws SQLException {
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getString(1) : "";
        }
    }

    private static void join(CompletionStage<Done> stage) {
        stage.toCompletableFuture().join();
    }

    /** While it is held, nothing can be written to the journal. */
    private static final class TableLock implements AutoCloseable {
        private final Connection connection;

        TableLock() throws SQLException {
            connection = POSTGRES.connect();
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("LOCK TABLE event_journal IN EXCLUSIVE MODE");
            }
        }

        /** A group has reached the database, and waits. */
        void awaitWriter() {
            await().pollInterval(Duration.ofMillis(10))
                    .untilAsserted(() -> assertThat(text("SELECT count(*) FROM pg_stat_activity WHERE"
                                    + " application_name = 'vivarium-journal' AND wait_event_type = 'Lock'"))
                            .isEqualTo("1"));
        }

        @Override
        public void close() throws SQLException {
            connection.rollback();
            connection.close();
        }
    }

    /** A connection that breaks after the server has done what it was asked. */
    private static final class Unreliable implements GroupCommit.Link {
        private final JournalConnection connection = JournalConnection.to(POSTGRES.address());
        private final AtomicInteger answersToLose;

        Unreliable(AtomicInteger answersToLose) throws SQLException {
            this.answersToLose = answersToLose;
        }

        @Override
        public void write(List<JournalWrite> writes) throws SQLException {
            SQLException refusal = null;
            try {
                connection.write(writes);
            } catch (SQLException refused) {
                refusal = refused;
            }
            if (answersToLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new SQLException("An I/O error occurred while sending to the backend.", "08006");
            }
            if (refusal != null) {
                throw refusal;
            }
        }

        @Override
        public boolean isWritten(JournalWrite write) throws SQLException {
            return connection.isWritten(write);
        }

        @Override
        public boolean isLost(SQLException failed) {
            return connection.isLost(failed);
        }

        @Override
        public void close() {
            connection.close();
        }

        @Override
        public void abort() {
            connection.abort();
        }
    }
}
