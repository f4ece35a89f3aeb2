package dev.vivarium.persistence.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.contract.RecordedRun;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Entries that an earlier version has written are read, and never rewritten, byte by byte. */
class RecordedEventsTest {
    /** The types of events of that version. Later types were not recorded. */
    private static final Set<String> TYPES = Set.of(
            "RunSubmitted",
            "RunQueued",
            "AttemptStarting",
            "AttemptStarted",
            "AlarmRaised",
            "EgressDenied",
            "EgressUsed",
            "CancelRequested",
            "AttemptInterrupted",
            "RunSucceeded",
            "RunFailed",
            "RunNotStarted",
            "RunKilled",
            "RunCancelled",
            "RunLost");

    private final EventCodec codec = EventCodec.standard();

    @Test
    void everyTypeOfEventIsReadAndWrittenBackUnchanged() {
        assertThat(typesReadAndWrittenBack(RecordedRun.withInlineFiles())).isEqualTo(TYPES);
        assertThat(typesReadAndWrittenBack(RecordedRun.withReferences()))
                .isEqualTo(EventCodec.currentVersions().keySet());
    }

    private Set<String> typesReadAndWrittenBack(List<RecordedRun> runs) {
        Set<String> types = new HashSet<>();
        for (RecordedRun run : runs) {
            for (byte[] bytes : run.bytes()) {
                JournalEntry entry = JournalEntryFormat.read(JournalEntryFormat.MANIFEST, bytes);
                RunEvent event = codec.decode(entry);

                assertThat(event.getClass().getSimpleName()).isEqualTo(entry.type());
                assertThat(JournalEntryFormat.write(entry)).isEqualTo(bytes);
                assertThat(codec.decode(codec.encode(event, entry.previousHash())))
                        .isEqualTo(event);
                types.add(entry.type());
            }
        }
        return types;
    }

    /**
     * A failure means that an event has got a type, field or constant that no recorded journal has: record one of this version
     * with the main class TodaysRuns (extended, if the new one is not found by itself), and name it in RecordedRun.
     */
    @Test
    void everyVariantOfTodaysEventsIsRecorded() {
        List<RunEvent> events = new ArrayList<>();
        for (RecordedRun run : RecordedRun.all()) {
            for (JournalEntry entry : run.entries()) {
                if (EventCodec.currentVersions().get(entry.type()) == entry.version()) {
                    events.add(codec.decode(entry));
                }
            }
        }

        assertThat(EventVariants.of(RunEvent.class, events)).containsAll(EventVariants.possible(RunEvent.class));
    }

    @Test
    void everyChainIsIntactAndEveryRunHasItsRecordedState() {
        for (RecordedRun run : RecordedRun.all()) {
            List<StoredEntry> entries = new ArrayList<>();
            RunState state = RunState.initial();
            for (JournalEntry entry : run.entries()) {
                entries.add(new StoredEntry(entries.size() + 1, entry));
                state = state.after(codec.decode(entry));
            }

            ChainCheck.Verdict verdict = ChainCheck.check(run.id(), entries);
            assertThat(verdict).isInstanceOf(ChainCheck.Intact.class);
            assertThat(verdict.head().toHex()).isEqualTo(run.head());
            assertThat(((RunState.Existing) state).status()).isEqualTo(run.status());
        }
    }

    @Test
    void filesAreReadAsReferencesAndTheirContentsAreUnchanged() {
        for (RecordedRun run : RecordedRun.withInlineFiles()) {
            JournalEntry first = run.entries().get(0);
            RunEvent.RunSubmitted submitted = (RunEvent.RunSubmitted) codec.decode(first);

            assertThat(submitted.spec().files()).isEqualTo(run.files());
            run.files().forEach((path, file) -> assertThat(InlineFiles.content(first, path))
                    .hasValueSatisfying(
                            content -> assertThat(Digest.of(content)).isEqualTo(file.digest())));
        }
    }
}
