package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.cassandra.ChangedRuns.Changed;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ChangedRunsTest {
    private final RunId run = Fixtures.run(1);
    private final List<JournalEntry> entries =
            JournalWriter.entries(run, Fixtures.success(run, Instant.now(), Map.of()));
    private final ChangedRuns changed = new ChangedRuns(Clock.systemUTC());

    @Test
    void consecutiveEntriesWaitAsOneChange() {
        changed.committed(run, 1, entries.subList(0, 2));
        changed.committed(run, 3, entries.subList(2, 3));

        assertThat(numbers()).containsExactly(1L, 2L, 3L);
    }

    @Test
    void aRunContinuedByAnotherNodeIsReadFromTheJournal() {
        changed.committed(run, 1, entries.subList(0, 2));
        changed.committed(run, 4, entries.subList(3, 4));

        assertThat(numbers()).isEmpty();
    }

    @Test
    void anUnsettledCommitIsReadFromTheJournal() {
        changed.committed(run, 1, entries.subList(0, 1));
        changed.unsettled(run);

        assertThat(numbers()).isEmpty();
    }

    @Test
    void aFailedChangeWaitsAgainTogetherWithLaterOnes() {
        changed.committed(run, 1, entries.subList(0, 1));
        assertThat(numbers()).containsExactly(1L);
        changed.committed(run, 2, entries.subList(1, 3));

        assertThat(numbers()).containsExactly(1L, 2L, 3L);
        changed.done(List.of(run));
        assertThat(changed.take(10, 10).runs()).isEmpty();
        assertThat(changed.isEmpty()).isTrue();
        assertThat(changed.bytes()).isZero();
    }

    @Test
    void urgentChangesDoNotWaitForOthers() {
        for (int i = 2; i < 12; i++) {
            changed.recovered(Fixtures.run(i));
        }
        changed.committed(run, 1, entries);

        List<Changed> taken = changed.take(5, 2).runs();

        assertThat(taken).extracting(Changed::run).containsExactly(run, Fixtures.run(2), Fixtures.run(3));
    }

    @Test
    void theListenerIsCalledForEachChange() {
        AtomicInteger calls = new AtomicInteger();
        changed.onNews(calls::incrementAndGet);

        changed.committed(run, 1, entries);
        changed.recovered(run);

        assertThat(calls).hasValue(2);
    }

    @Test
    void memoryIsBoundedAndNoChangeIsLost() {
        Map<String, String> large = Map.of("note", "x".repeat(1_000_000));
        for (int i = 0; i < 50; i++) {
            RunId each = Fixtures.run(i);
            changed.committed(
                    each, 1, JournalWriter.entries(each, List.of(Fixtures.submitted(each, Instant.now(), large))));
        }

        assertThat(changed.bytes()).isBetween(ChangedRuns.BYTES_MAX / 2, ChangedRuns.BYTES_MAX);
        List<Changed> taken = changed.take(100, 0).runs();
        assertThat(taken).hasSize(50);
        assertThat(taken.stream().filter(one -> one.entries().isEmpty())).hasSizeBetween(17, 30);
    }

    private List<Long> numbers() {
        List<Changed> taken = changed.take(10, 10).runs();
        assertThat(taken).extracting(Changed::run).containsExactly(run);
        return taken.get(0).entries().stream().map(StoredEntry::seq).toList();
    }
}
