package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.audit.RunIndex.Query;
import dev.vivarium.persistence.embedded.TestPostgres;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RunIndexTest {
    @RegisterExtension
    static final TestPostgres POSTGRES = new TestPostgres();

    private final RunIndex index = POSTGRES.store().runs();

    @BeforeEach
    void emptyJournal() throws SQLException {
        execute("DELETE FROM event_tag; DELETE FROM event_journal; DELETE FROM run_view");
    }

    @Test
    void aRunIsFoundSoonAfterItsEventAndReadsBackEqual() throws SQLException {
        RunId run = Fixtures.run(1);
        success(run, Fixtures.NOON, Map.of("team", "research"));

        awaitRuns(run);
        RunState state =
                POSTGRES.store().journal().state(run).toCompletableFuture().join();
        assertThat(find(all()).runs()).containsExactly(RunView.of((RunState.Existing) state));
        await().atMost(Duration.ofSeconds(2))
                .until(() -> POSTGRES.store().projectionLag().toMillis() < 300);
    }

    @Test
    void theProjectionOutlivesWhatNobodyExpected() throws SQLException {
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
    void pagesFollowEachOtherNewestFirstWithoutGapsOrRepetition() throws SQLException {
        List<RunId> newestFirst = new ArrayList<>();
        for (int i = 10; i < 31; i++) {
            // three runs share each instant
            success(Fixtures.run(i), Fixtures.NOON.plusSeconds(i / 3), Map.of());
            newestFirst.add(0, Fixtures.run(i));
        }
        awaitRuns(newestFirst.toArray(RunId[]::new));

        List<RunId> seen = new ArrayList<>();
        Optional<String> cursor = Optional.empty();
        int pages = 0;
        do {
            RunPage page = find(new Query(Set.of(), Map.of(), Optional.empty(), cursor, 7));
            page.runs().forEach(run -> seen.add(run.id()));
            cursor = page.next();
            pages++;
        } while (cursor.isPresent());
        assertThat(seen).isEqualTo(newestFirst);
        assertThat(pages).isEqualTo(3);
    }

    @Test
    void runsAreFoundByStatusLabelTenantAndTime() throws SQLException {
        success(Fixtures.run(1), Fixtures.NOON, Map.of("team", "research", "x", "1"));
        success(Fixtures.run(2), Fixtures.NOON.plusSeconds(10), Map.of("team", "research", "tenant", "acme"));
        write(
                Fixtures.run(3),
                List.of(Fixtures.submitted(Fixtures.run(3), Fixtures.NOON, Map.of("odd", "\u0000\ud800"))));
        awaitRuns(Fixtures.run(2), Fixtures.run(3), Fixtures.run(1));

        assertFound(new Query(Set.of(RunStatus.SUBMITTED), Map.of(), Optional.empty(), Optional.empty(), 9), 3);
        assertFound(
                new Query(
                        Set.of(RunStatus.SUBMITTED, RunStatus.SUCCEEDED),
                        Map.of(),
                        Optional.empty(),
                        Optional.empty(),
                        9),
                2,
                3,
                1);
        assertFound(labelled(Map.of("team", "research")), 2, 1);
        assertFound(labelled(Map.of("team", "research", "x", "1")), 1);
        assertFound(labelled(Map.of("tenant", "acme")), 2);
        assertFound(labelled(Map.of("tenant", "default")), 3, 1);
        assertFound(labelled(Map.of("odd", "\u0000\ud800")), 3);
        assertFound(new Query(Set.of(), Map.of(), Optional.of(Fixtures.NOON.plusSeconds(1)), Optional.empty(), 9), 2);
    }

    @Test
    void aCursorOfSomebodyElsesMakeIsRefused() {
        for (String cursor : new String[] {"", "x", "AAAA", "ü", "' OR 1=1"}) {
            assertThatThrownBy(() -> find(new Query(Set.of(), Map.of(), Optional.empty(), Optional.of(cursor), 9)))
                    .hasCauseInstanceOf(RunIndex.BadCursor.class);
        }
    }

    @Test
    void anEventThatIsCommittedLateIsNotPassedBy() throws SQLException {
        // given a transaction that took its number first and commits last
        try (Connection slow = POSTGRES.connect()) {
            slow.setAutoCommit(false);
            JournalRows.write(slow, Fixtures.run(1), List.of(Fixtures.submitted(Fixtures.run(1))));
            success(Fixtures.run(2), Fixtures.NOON, Map.of());
            // when the projection has looked, often
            Duration before = POSTGRES.store().projectionLag();
            await().until(() -> POSTGRES.store().projectionLag().compareTo(before.plusMillis(500)) > 0);
            // then it knows that it does not know all
            assertThat(find(all()).runs()).isEmpty();
            slow.commit();
        }
        awaitRuns(Fixtures.run(2), Fixtures.run(1));
    }

    @Test
    void aDamagedRunDoesNotHideTheOthers() throws SQLException {
        JournalEntry unknown = new JournalEntry(
                "RunTeleported", 1, Blob.ofUtf8("{}"), EventCodec.genesis(Fixtures.run(1)), Blob.EMPTY);
        try (Connection connection = POSTGRES.connect()) {
            JournalRows.write(connection, Fixtures.run(1), 1, unknown);
        }
        success(Fixtures.run(2), Fixtures.NOON, Map.of());

        awaitRuns(Fixtures.run(2));
        assertThat(POSTGRES.store().journal().state(Fixtures.run(1)).toCompletableFuture())
                .failsWithin(Duration.ofSeconds(5))
                .withThrowableThat()
                .withMessageContaining("RunTeleported");
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

    private void assertFound(Query query, int... runs) {
        assertThat(find(query).runs())
                .extracting(RunView::id)
                .containsExactly(
                        java.util.Arrays.stream(runs).mapToObj(Fixtures::run).toArray(RunId[]::new));
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
