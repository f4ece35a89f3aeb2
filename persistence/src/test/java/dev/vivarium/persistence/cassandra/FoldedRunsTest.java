package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.cassandra.FoldedRuns.Folded;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FoldedRunsTest {
    private final RunId run = Fixtures.run(1);
    private final List<JournalEntry> entries =
            JournalWriter.entries(run, Fixtures.success(run, Instant.now(), Map.of()));
    private final FoldedRuns folded = new FoldedRuns();

    @Test
    void aRunIsKnownByAllOfItsEntriesAsTheyAreCommitted() {
        folded.committed(run, 1, entries.subList(0, 2));
        assertThat(folded.of(run).map(Folded::seq)).contains(2L);
        assertThat(status()).isEqualTo(RunStatus.STARTING);

        folded.committed(run, 3, entries.subList(2, 3));
        folded.committed(run, 4, entries.subList(3, 4));

        assertThat(folded.of(run).map(Folded::seq)).contains(4L);
        assertThat(status()).isEqualTo(RunStatus.SUCCEEDED);
        assertThat(folded.of(run).map(Folded::bytes))
                .contains(entries.stream()
                        .mapToInt(entry -> entry.payload().length())
                        .sum());
    }

    @Test
    void aRunThatSomebodyElseHasGoneOnWithIsNotKnownAnyMore() {
        folded.committed(run, 1, entries.subList(0, 2));

        folded.committed(run, 4, entries.subList(3, 4));

        assertThat(folded.of(run)).isEmpty();
    }

    @Test
    void aRunWhoseBeginningIsNotKnownIsNotKnown() {
        folded.committed(run, 3, entries.subList(2, 3));

        assertThat(folded.of(run)).isEmpty();
    }

    @Test
    void whatCannotBeFoldedIsLeftToThoseWhoReadTheJournal() {
        folded.committed(run, 1, entries.subList(0, 1));
        folded.committed(run, 2, entries.subList(2, 3));
        assertThat(folded.of(run)).isEmpty();

        JournalEntry unknown = new JournalEntry("Unheard", 1, Blob.ofUtf8("{}"), Blob.EMPTY, Blob.EMPTY);
        folded.committed(run, 1, List.of(unknown));
        assertThat(folded.of(run)).isEmpty();
    }

    @Test
    void whatIsInDoubtIsForgotten() {
        folded.committed(run, 1, entries.subList(0, 1));

        folded.forget(run);

        assertThat(folded.of(run)).isEmpty();
    }

    @Test
    void whatItKnowsIsBounded() {
        Map<String, String> large = Map.of("note", "x".repeat(1_000_000));
        for (int i = 0; i < 50; i++) {
            RunId each = Fixtures.run(i);
            folded.committed(
                    each, 1, JournalWriter.entries(each, List.of(Fixtures.submitted(each, Instant.now(), large))));
        }

        assertThat(folded.size()).isBetween(20L, 33L);
    }

    private RunStatus status() {
        return folded.of(run).map(Folded::state).map(RunState.Existing::status).orElseThrow();
    }
}
