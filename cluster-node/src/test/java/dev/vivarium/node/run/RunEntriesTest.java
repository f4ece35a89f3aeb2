package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;
import static scala.jdk.javaapi.CollectionConverters.asJava;

import dev.vivarium.node.sandbox.Specs;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RunEntriesTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final RunId ID = new RunId("01j0000000000000000000000a");
    private static final List<RunEvent> EVENTS = List.of(
            new RunEvent.RunSubmitted(
                    NOW,
                    "node-1",
                    Principal.LOCAL_OPERATOR,
                    ID,
                    Specs.hello(),
                    Digest.of(Blob.ofUtf8("digest")),
                    Optional.empty()),
            new RunEvent.RunQueued(NOW, "node-1"),
            new RunEvent.AttemptStarting(NOW, "node-1", 1));

    private final List<JournalEntry> decoded = new ArrayList<>();
    private final RunEntries entries = new RunEntries(entry -> {
        decoded.add(entry);
        return EventCodec.standard().decode(entry);
    });

    @Test
    void eachEventIsDecodedOnceBeforeItIsWrittenToProveThatItIsReadable() {
        List<DecodedEntry> written = JournaledRun.of(ID).entries(entries, EVENTS);
        List<Object> journal = written.stream().map(entries::toJournal).toList();
        JournaledRun run = JournaledRun.of(ID);
        for (DecodedEntry entry : written) {
            run = run.after(entry);
        }

        assertThat(decoded).isEqualTo(journal);
        assertThat(run.seq()).isEqualTo(3);
        assertThat(run.head()).isEqualTo(written.get(2).stored().hash());
    }

    @Test
    void eachEntryOfTheJournalIsDecodedOnceOnRecovery() {
        List<JournalEntry> journal = JournaledRun.of(ID).entries(RunEntries.standard(), EVENTS).stream()
                .map(DecodedEntry::stored)
                .toList();

        List<RunEvent> read = new ArrayList<>();
        JournaledRun run = JournaledRun.of(ID);
        for (JournalEntry stored : journal) {
            for (DecodedEntry entry : asJava(entries.fromJournal(stored, "").events())) {
                read.add(entry.event());
                run = run.after(entry);
            }
        }

        assertThat(decoded).isEqualTo(journal);
        assertThat(read).isEqualTo(EVENTS);
        assertThat(run.head()).isEqualTo(journal.get(2).hash());
    }
}
