package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.RunIndex.Query;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** The contract of every list of runs. Each test uses its own period, later than those of earlier tests. */
public abstract class RunIndexContract {
    private static final AtomicInteger TESTS = new AtomicInteger();

    private final int test = TESTS.incrementAndGet();
    private final Instant noon = Fixtures.NOON.plus(Duration.ofDays(test));

    protected abstract Store store();

    protected abstract JournalWriter writer();

    @Test
    void aRunIsFoundSoonAfterItsEventAndReadsBackEqual() {
        success(1, noon, Map.of("team", "research"));

        awaitRuns(1);
        RunState state = store().journal().state(run(1)).toCompletableFuture().join();
        assertThat(find(all()).runs()).containsExactly(RunView.of((RunState.Existing) state));
        await().atMost(Duration.ofSeconds(2))
                .until(() -> store().projectionLag().toMillis() < 300);
    }

    @Test
    void pagesFollowEachOtherNewestFirstWithoutGapsOrRepetition() {
        List<RunId> newestFirst = new ArrayList<>();
        for (int i = 10; i < 31; i++) {
            // three runs share each instant, and they are hours apart
            success(i, noon.plus(Duration.ofHours(i / 3)), Map.of());
            newestFirst.add(0, run(i));
        }
        awaitRuns(newestFirst);

        assertThat(pages(Set.of(), Map.of())).isEqualTo(newestFirst);
        assertThat(pages(Set.of(RunStatus.SUCCEEDED), Map.of())).isEqualTo(newestFirst);
        assertThat(pages(Set.of(), Map.of("tenant", "default"))).isEqualTo(newestFirst);
    }

    private List<RunId> pages(Set<RunStatus> statuses, Map<String, String> labels) {
        List<RunId> seen = new ArrayList<>();
        Optional<String> cursor = Optional.empty();
        int pages = 0;
        do {
            RunPage page = find(new Query(statuses, labels, Optional.of(noon), cursor, 7));
            page.runs().forEach(run -> seen.add(run.id()));
            cursor = page.next();
            pages++;
        } while (cursor.isPresent());
        assertThat(pages).isEqualTo(3);
        return seen;
    }

    @Test
    void runsAreFoundByStatusLabelTenantAndTime() {
        success(1, noon, Map.of("team", "research", "x", "1"));
        success(2, noon.plusSeconds(10), Map.of("team", "research", "tenant", "acme"));
        writer().write(run(3), List.of(Fixtures.submitted(run(3), noon, Map.of("odd", "\u0000\ud800"))));
        awaitRuns(List.of(run(2), run(3), run(1)));

        assertFound(Set.of(RunStatus.SUBMITTED), Map.of(), 3);
        assertFound(Set.of(RunStatus.SUBMITTED, RunStatus.RUNNING), Map.of(), 3);
        assertFound(Set.of(RunStatus.SUBMITTED, RunStatus.SUCCEEDED), Map.of(), 2, 3, 1);
        assertFound(Set.of(RunStatus.FAILED, RunStatus.SUCCEEDED), Map.of(), 2, 1);
        assertFound(Set.of(), Map.of("team", "research"), 2, 1);
        assertFound(Set.of(), Map.of("team", "research", "x", "1"), 1);
        assertFound(Set.of(), Map.of("tenant", "acme"), 2);
        assertFound(Set.of(), Map.of("tenant", "default"), 3, 1);
        assertFound(Set.of(), Map.of("tenant", "default", "odd", "\u0000\ud800"), 3);
        assertFound(Set.of(RunStatus.SUBMITTED), Map.of("tenant", "default"), 3);
        assertFound(Set.of(RunStatus.SUCCEEDED), Map.of("tenant", "default"), 1);
        Query later = new Query(Set.of(), Map.of(), Optional.of(noon.plusSeconds(1)), Optional.empty(), 9);
        assertThat(find(later).runs()).extracting(RunView::id).containsExactly(run(2));
    }

    @Test
    void aRunThatHasEndedIsNoLongerAmongTheLiveOnes() {
        writer().write(run(1), Fixtures.success(run(1), noon, Map.of()).subList(0, 3));
        awaitRuns(1);
        assertFound(Set.of(RunStatus.RUNNING), Map.of(), 1);

        List<JournalEntry> entries = JournalWriter.entries(run(1), Fixtures.success(run(1), noon, Map.of()));
        writer().writeEntries(run(1), entries.subList(3, 4));

        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> {
            assertFound(Set.of(RunStatus.RUNNING), Map.of());
            assertFound(Set.of(RunStatus.SUCCEEDED), Map.of(), 1);
        });
    }

    @Test
    void aForeignCursorIsRefused() {
        for (String cursor : new String[] {"", "x", "AAAA", "ü", "' OR 1=1"}) {
            assertThatThrownBy(() -> find(new Query(Set.of(), Map.of(), Optional.empty(), Optional.of(cursor), 9)))
                    .hasCauseInstanceOf(RunIndex.BadCursor.class);
        }
    }

    @Test
    void aDamagedRunDoesNotHideTheOthers() {
        JournalEntry unknown =
                new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), EventCodec.genesis(run(1)), Blob.EMPTY);
        writer().writeEntries(run(1), List.of(unknown));
        success(2, noon, Map.of());

        awaitRuns(2);
        assertThat(store().journal().state(run(1)).toCompletableFuture())
                .failsWithin(Duration.ofSeconds(5))
                .withThrowableThat()
                .withMessageContaining("RunTeleported");
    }

    @Test
    void anUnreadableEntryStopsItsRunsRowBeforeItAndIsCounted() {
        List<JournalEntry> entries = JournalWriter.entries(run(1), Fixtures.success(run(1), noon, Map.of()));
        JournalEntry newer = new JournalEntry(
                "RunTeleported", 1, Blob.ofUtf8("{}"), entries.get(2).hash(), Blob.EMPTY);
        int before = store().unreadableRuns();

        writer().writeEntries(run(1), List.of(entries.get(0), entries.get(1), entries.get(2), newer));

        awaitRuns(1);
        await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> {
            assertThat(store().unreadableRuns()).isEqualTo(before + 1);
            assertFound(Set.of(RunStatus.RUNNING), Map.of(), 1);
        });
    }

    @Test
    void aRowIsNotRebuiltFromTheFirstEventForEachEvent() {
        // given: a run whose first event has become unreadable since it was listed
        List<JournalEntry> entries = JournalWriter.entries(run(1), Fixtures.success(run(1), noon, Map.of()));
        writer().writeEntries(run(1), entries.subList(0, 3));
        awaitRuns(1);
        assertFound(Set.of(RunStatus.RUNNING), Map.of(), 1);
        ActorRef<JournalWriter.Entity.Command> owner = writer().entity(run(1));
        damageFirstEntry(run(1));

        writer().append(owner, entries.subList(3, 4)).toCompletableFuture().join();

        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertFound(Set.of(RunStatus.SUCCEEDED), Map.of(), 1));
    }

    /** Makes the first entry of a run unreadable, in the store itself. */
    protected abstract void damageFirstEntry(RunId run);

    /** The n-th run of this test. */
    protected RunId run(int n) {
        return Fixtures.run(100_000 + test * 100 + n);
    }

    private void success(int n, Instant at, Map<String, String> labels) {
        writer().write(run(n), Fixtures.success(run(n), at, labels));
    }

    private void awaitRuns(int run) {
        awaitRuns(List.of(run(run)));
    }

    private void awaitRuns(List<RunId> newestFirst) {
        await().atMost(Duration.ofSeconds(5))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() ->
                        assertThat(find(all()).runs()).extracting(RunView::id).isEqualTo(newestFirst));
    }

    private void assertFound(Set<RunStatus> statuses, Map<String, String> labels, int... runs) {
        assertThat(find(new Query(statuses, labels, Optional.of(noon), Optional.empty(), 9))
                        .runs())
                .extracting(RunView::id)
                .containsExactly(Arrays.stream(runs).mapToObj(this::run).toArray(RunId[]::new));
    }

    private Query all() {
        return new Query(Set.of(), Map.of(), Optional.of(noon), Optional.empty(), 500);
    }

    private RunPage find(Query query) {
        return store().runs().find(query).toCompletableFuture().join();
    }
}
