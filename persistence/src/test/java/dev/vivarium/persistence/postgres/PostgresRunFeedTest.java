package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.follow.JournalFollower;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.RunIndex.Query;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** PostgreSQL's peculiarities of following the journal; the rest is in RunIndexContract. */
class PostgresRunFeedTest {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private final RunIndex index = POSTGRES.store().runs();

    @BeforeEach
    void emptyJournal() throws SQLException {
        execute("DELETE FROM event_tag; DELETE FROM event_journal; DELETE FROM run_view; DELETE FROM run_unreadable");
    }

    @Test
    void theProjectionSurvivesUnexpectedFailures() throws SQLException {
        execute("INSERT INTO run_unreadable (run_id, reason) VALUES ('not the id of a run', 'put here by hand')");
        try (PostgresStore other =
                PostgresStore.openOwn(POSTGRES.address(), POSTGRES.directory(), "01k0anothername0000000000")) {
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> other.projectionLag().toMillis() > 500);

            execute("DELETE FROM run_unreadable");

            await().atMost(Duration.ofSeconds(10))
                    .until(() -> other.projectionLag().toMillis() < 300);
        }
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = POSTGRES.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void anEventThatIsCommittedLateIsNotSkipped() throws SQLException {
        // given: a transaction that took its number first and commits last
        try (Connection slow = POSTGRES.connect()) {
            slow.setAutoCommit(false);
            JournalRows.write(slow, Fixtures.run(1), List.of(Fixtures.submitted(Fixtures.run(1))));
            success(Fixtures.run(2), Fixtures.NOON, Map.of());
            // when: the projection has polled several times
            Duration before = POSTGRES.store().projectionLag();
            await().until(() -> POSTGRES.store().projectionLag().compareTo(before.plusMillis(500)) > 0);
            // then: it has not passed the gap
            assertThat(find(all()).runs()).isEmpty();
            slow.commit();
        }
        awaitRuns(Fixtures.run(2), Fixtures.run(1));
    }

    /** Its only entry could not be read by this version. */
    @Test
    void aStateThatTheNodeKnowsIsListedWithoutReadingItsEvents() throws SQLException {
        RunId run = Fixtures.run(1);
        RunState.Existing state = (RunState.Existing) RunState.initial().after(Fixtures.submitted(run));
        POSTGRES.store().know(state, 1);
        try (Connection connection = POSTGRES.connect()) {
            JournalRows.write(
                    connection,
                    run,
                    1,
                    new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), EventCodec.genesis(run), Blob.EMPTY));
        }

        awaitRuns(run);
        assertThat(find(all()).runs()).containsExactly(RunView.of(state));
        assertThat(POSTGRES.store().unreadableRuns()).isZero();
    }

    @Test
    void aDatabaseRestoredFromAnotherServerListsOldAndNewRuns() throws SQLException {
        success(Fixtures.run(1), Fixtures.NOON, Map.of());
        awaitRuns(Fixtures.run(1));
        // given: a dump's transaction ids of the other server, which are far ahead of this server's
        execute("DELETE FROM run_view; UPDATE event_journal SET transaction_id = '777000000001';"
                + " UPDATE projection_offset SET transaction_id = '777000000000', ordering = 0");

        success(Fixtures.run(2), Fixtures.NOON.plusSeconds(1), Map.of());

        awaitRuns(Fixtures.run(2), Fixtures.run(1));
        success(Fixtures.run(3), Fixtures.NOON.plusSeconds(2), Map.of());
        awaitRuns(Fixtures.run(3), Fixtures.run(2), Fixtures.run(1));
    }

    @Test
    void aNewVersionOfTheListRebuildsAllRows() throws SQLException {
        success(Fixtures.run(1), Fixtures.NOON, Map.of());
        awaitRuns(Fixtures.run(1));
        // given: rows as an older version wrote them
        execute("UPDATE run_view SET status = 'LOST', seq = 99");
        try (Database database = new Database(POSTGRES.address())) {
            JournalFollower<RunView> next = follower(database, new RunList(new RunList().version() + 1));
            next.start();

            await().atMost(Duration.ofSeconds(5))
                    .untilAsserted(() -> assertThat(find(succeeded()).runs())
                            .extracting(RunView::id)
                            .containsExactly(Fixtures.run(1)));

            next.close();
            feed(database, new RunList()).prepare();
        }
        // the same when the older version returns
        success(Fixtures.run(2), Fixtures.NOON.plusSeconds(1), Map.of());
        awaitRuns(Fixtures.run(2), Fixtures.run(1));
    }

    @Test
    void aRunThatAnOlderVersionCouldNotReadIsListedWhenANewerOneStarts() throws SQLException {
        RunId run = Fixtures.run(1);
        JournalEntry readable = EventCodec.standard().encode(Fixtures.submitted(run), EventCodec.genesis(run));
        try (Connection connection = POSTGRES.connect()) {
            JournalRows.write(
                    connection,
                    run,
                    1,
                    new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), EventCodec.genesis(run), Blob.EMPTY));
        }
        await().until(() -> POSTGRES.store().unreadableRuns() == 1);
        assertThat(find(all()).runs()).isEmpty();
        // given: an entry that only the next version can read
        try (Connection connection = POSTGRES.connect();
                PreparedStatement update = connection.prepareStatement("UPDATE event_journal SET event_payload = ?")) {
            update.setBytes(1, JournalEntryFormat.write(readable));
            update.executeUpdate();
        }

        try (PostgresStore upgraded =
                PostgresStore.openOwn(POSTGRES.address(), POSTGRES.directory(), "01k0anothername0000000000")) {
            awaitRuns(run);
            await().until(() -> upgraded.unreadableRuns() == 0);
        }
    }

    private static JournalFollower<RunView> follower(Database database, RunList list) {
        return new JournalFollower<>(list, feed(database, list), EventCodec.standard(), Clock.systemUTC());
    }

    private static PostgresRunFeed feed(Database database, RunList list) {
        PostgresJournal journal = new PostgresJournal(database, EventCodec.standard());
        return new PostgresRunFeed(database, journal, list, new KnownRuns(), Clock.systemUTC());
    }

    private static Query succeeded() {
        return new Query(Set.of(RunStatus.SUCCEEDED), Map.of(), Optional.empty(), Optional.empty(), 500);
    }

    private static void success(RunId run, Instant at, Map<String, String> labels) throws SQLException {
        write(run, Fixtures.success(run, at, labels));
    }

    private static void write(RunId run, List<dev.vivarium.protocol.run.RunEvent> events) throws SQLException {
        try (Connection connection = POSTGRES.connect()) {
            JournalRows.write(connection, run, events);
        }
    }

    private void awaitRuns(RunId... newestFirst) {
        await().atMost(Duration.ofSeconds(5))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() ->
                        assertThat(find(all()).runs()).extracting(RunView::id).containsExactly(newestFirst));
    }

    private static Query all() {
        return labelled(Map.of());
    }

    private static Query labelled(Map<String, String> labels) {
        return new Query(Set.of(), labels, Optional.empty(), Optional.empty(), 500);
    }

    private RunPage find(Query query) {
        return index.find(query).toCompletableFuture().join();
    }
}
