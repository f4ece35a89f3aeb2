package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.ChainCheck;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.store.BlobMissing;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The contract of every store for a journal that an earlier version has written. */
public abstract class RecordedJournalContract {
    private static final List<RecordedRun> RUNS = RecordedRun.withInlineFiles();
    private static final List<RecordedRun> LATER = RecordedRun.withReferences();

    protected abstract Store store();

    protected abstract JournalWriter writer();

    protected abstract ChainCheck.Verdict check(RunId run);

    @BeforeEach
    void writeWhatWasRecorded() {
        for (RecordedRun run : RecordedRun.all()) {
            if (events(run).isEmpty()) {
                writer().writeEntries(run.id(), run.entries());
            }
        }
    }

    @Test
    void everyEndedRunIsReadInTheCurrentFormatWithAnIntactChain() {
        assertReadable(RUNS.subList(0, RUNS.size() - 1));
    }

    @Test
    void everyRunOfLaterVersionsIsReadInTheCurrentFormatWithAnIntactChain() {
        assertReadable(LATER);
    }

    private void assertReadable(List<RecordedRun> runs) {
        for (RecordedRun run : runs) {
            RunState.Existing state = (RunState.Existing) join(store().journal().state(run.id()));

            assertThat(state.status()).isEqualTo(run.status());
            assertThat(state.submission().spec().files()).isEqualTo(run.files());
            ChainCheck.Verdict verdict = check(run.id());
            assertThat(verdict).isInstanceOf(ChainCheck.Intact.class);
            assertThat(verdict.head().toHex()).isEqualTo(run.head());
        }
    }

    @Test
    void theContentsOfTheirFilesAreFoundInTheirFirstEntries() {
        for (RecordedRun run : RUNS) {
            RunSpec spec = ((RunEvent.RunSubmitted) events(run).get(0).event()).spec();
            spec.files().forEach((path, file) -> {
                byte[] content = content(spec, run.id(), path, file);

                assertThat(content).hasSize(Math.toIntExact(file.size()));
                assertThat(Digest.of(content)).isEqualTo(file.digest());
            });
        }
    }

    @Test
    void aFileWithoutContentIsMissing() {
        RecordedRun run = RUNS.get(0);
        RunSpec spec = ((RunEvent.RunSubmitted) events(run).get(0).event()).spec();

        assertThatThrownBy(() -> content(spec, run.id(), "other.py", FileRef.of(Fixtures.CONTENT)))
                .hasRootCauseInstanceOf(BlobMissing.class);
        assertThatThrownBy(() -> content(spec, Fixtures.run(61_000), "agent.py", FileRef.of(Fixtures.CONTENT)))
                .hasRootCauseInstanceOf(BlobMissing.class);
    }

    @Test
    void aLiveRunContinuesTheSameChain() {
        RecordedRun live = RUNS.get(RUNS.size() - 1);
        assertThat(join(store().journal().state(live.id()))).isInstanceOf(RunState.Starting.class);
        List<JournalEntry> entries = live.entries();
        JournalEntry next = EventCodec.standard()
                .encode(
                        new RunEvent.AttemptStarted(Fixtures.NOON, "node-9", 1, "sandbox", Optional.empty()),
                        entries.get(entries.size() - 1).hash());

        join(writer().append(writer().entity(live.id()), List.of(next)));

        List<JournalEntry> all = new ArrayList<>(entries);
        all.add(next);
        assertThat(writer().read(writer().entity(live.id()))).isEqualTo(all);
        assertThat(check(live.id())).isEqualTo(new ChainCheck.Intact(all.size(), next.hash()));
        assertThat(join(store().journal().state(live.id()))).isInstanceOf(RunState.Running.class);
    }

    private byte[] content(RunSpec spec, RunId run, String path, FileRef file) {
        return join(store().files()
                        .open(spec.tenant(), run, path, file)
                        .runWith(Sink.fold(ByteString.emptyByteString(), ByteString::concat), writer().materializer()))
                .toArray();
    }

    private List<RecordedEvent> events(RecordedRun run) {
        return join(store().journal().events(run.id(), 1));
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
