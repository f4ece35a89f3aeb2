package dev.vivarium.persistence.follow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.contract.JournalWriter;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How entries change a row, without a store and without threads. */
class StepTest {
    private final RunId run = Fixtures.run(1);
    private final List<RunEvent> events = Fixtures.success(run, Fixtures.NOON, Map.of());
    private final List<StoredEntry> entries = stored(JournalWriter.entries(run, events), 1);
    private final RunList list = new RunList();

    @Test
    void aRowUpdatedEntryByEntryEqualsTheFoldOfAll() {
        Optional<Row<RunView>> row = Optional.empty();
        RunState state = RunState.initial();
        for (int i = 0; i < entries.size(); i++) {
            Step<RunView> step = step(row, entries.subList(i, i + 1));
            state = state.after(events.get(i));

            assertThat(step).isInstanceOf(Step.Moved.class);
            row = step.row();
            assertThat(row).contains(new Row<>(i + 1L, RunView.of((RunState.Existing) state)));
            assertThat(RunList.read(RunList.write(row.orElseThrow().content())))
                    .isEqualTo(row.orElseThrow().content());
        }
    }

    @Test
    void aRowFromBeforeFilesWereCountedIsReadableUntilItIsRebuilt() {
        RunView view = step(Optional.empty(), entries).row().orElseThrow().content();
        String today = RunList.write(view);
        String before = today.replaceFirst("\"files\":[0-9]+,", "").replaceFirst("\"filesPeak\":[0-9]+,", "");

        assertThat(before).doesNotContain("filesPeak");
        RunView read = RunList.read(before);

        assertThat(read.usage().orElseThrow().get(Limit.FILES)).isZero();
        assertThat(read.usage().orElseThrow().get(Limit.OUTPUT))
                .isEqualTo(view.usage().orElseThrow().get(Limit.OUTPUT));
        assertThat(read.spec().limits().find(Limit.FILES)).isEmpty();
        assertThat(read.spec().limits().get(Limit.DISK))
                .isEqualTo(view.spec().limits().get(Limit.DISK));
    }

    @Test
    void entriesAlreadyInTheRowChangeNothing() {
        Optional<Row<RunView>> row =
                step(Optional.empty(), entries.subList(0, 3)).row();

        assertThat(step(row, entries.subList(0, 2))).isEqualTo(new Step.Unchanged<>(run, row));
        assertThat(step(row, entries.subList(1, 4)).row().map(Row::seq)).contains(4L);
    }

    @Test
    void entriesMissingBetweenTheRowAndTheGivenOnesAreNeededFirst() {
        Optional<Row<RunView>> row =
                step(Optional.empty(), entries.subList(0, 1)).row();

        assertThat(step(row, entries.subList(2, 4))).isEqualTo(new Step.Behind<>(run, row, 2));
        assertThat(step(Optional.empty(), entries.subList(2, 4)))
                .isEqualTo(new Step.Behind<RunView>(run, Optional.empty(), 1));
        assertThat(step(row, List.of())).isEqualTo(new Step.Behind<>(run, row, 2));
    }

    @Test
    void theRowStopsBeforeAnUnreadableEntry() {
        JournalEntry newer = new JournalEntry("RunTeleported", 1, Blob.ofUtf8("{}"), Blob.EMPTY, Blob.EMPTY);
        List<StoredEntry> some = new ArrayList<>(entries.subList(0, 3));
        some.add(new StoredEntry(4, newer));
        some.add(new StoredEntry(5, entries.get(3).entry()));

        Step.Unreadable<RunView> stuck = (Step.Unreadable<RunView>) step(Optional.empty(), some);

        assertThat(stuck.seq()).isEqualTo(4);
        assertThat(stuck.reason()).contains("RunTeleported", "newer node");
        assertThat(stuck.row().map(Row::seq)).contains(3L);
        assertThat(stuck.row().map(row -> row.content().status())).contains(RunStatus.RUNNING);
    }

    @Test
    void anIllegalEventIsSkippedAndReported() {
        List<StoredEntry> impossible =
                stored(JournalWriter.entries(run, List.of(Fixtures.submitted(run), Fixtures.submitted(run))), 1);

        Step.Unreadable<RunView> stuck = (Step.Unreadable<RunView>) step(Optional.empty(), impossible);

        assertThat(stuck.seq()).isEqualTo(2);
        assertThat(stuck.reason()).contains("RunSubmitted may not happen");
    }

    @Test
    void aRunIsFoundByItsTenantEvenIfThatIsTheDefault() {
        RunView own = list.after(Optional.empty(), Fixtures.submitted(run, Fixtures.NOON, Map.of("tenant", "acme")));
        RunView none = list.after(Optional.empty(), Fixtures.submitted(run, Fixtures.NOON, Map.of("x", "1")));

        assertThat(RunList.labels(own)).isEqualTo(Map.of("tenant", "acme"));
        assertThat(RunList.labels(none)).isEqualTo(Map.of("tenant", "default", "x", "1"));
    }

    private Step<RunView> step(Optional<Row<RunView>> row, List<StoredEntry> some) {
        return Step.of(list, EventCodec.standard(), new Change<>(run, row, some));
    }

    private static List<StoredEntry> stored(List<JournalEntry> entries, long first) {
        List<StoredEntry> stored = new ArrayList<>();
        entries.forEach(entry -> stored.add(new StoredEntry(first + stored.size(), entry)));
        return stored;
    }
}
