package dev.vivarium.persistence.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.ChainCheck.Broken;
import dev.vivarium.persistence.journal.ChainCheck.Fault;
import dev.vivarium.persistence.journal.ChainCheck.Intact;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChainCheckTest {
    private static final RunId RUN = Fixtures.run(1);

    private final List<StoredEntry> chain = chain(RUN);

    @Test
    void anUnchangedChainIsIntact() {
        assertThat(ChainCheck.check(RUN, chain))
                .isEqualTo(new Intact(4, chain.get(3).entry().hash()));
        assertThat(ChainCheck.check(RUN, List.of())).isEqualTo(new Intact(0, EventCodec.genesis(RUN)));
    }

    @Test
    void anEntryMissingInBetweenIsAGap() {
        chain.remove(1);
        broken(2, Fault.GAP);
    }

    @Test
    void anEntryMissingAtTheStartIsAGapEvenWhenTheRestIsRenumbered() {
        chain.remove(0);
        broken(1, Fault.GAP);

        for (int i = 0; i < chain.size(); i++) {
            chain.set(i, new StoredEntry(i + 1, chain.get(i).entry()));
        }
        broken(1, Fault.UNLINKED);
    }

    @Test
    void anEditIsFoundWhereItWasMade() {
        JournalEntry original = chain.get(2).entry();
        List<JournalEntry> edits = List.of(
                new JournalEntry(
                        "AttemptEnded",
                        original.version(),
                        original.payload(),
                        original.previousHash(),
                        original.hash()),
                new JournalEntry(
                        original.type(),
                        original.version() + 1,
                        original.payload(),
                        original.previousHash(),
                        original.hash()),
                new JournalEntry(
                        original.type(),
                        original.version(),
                        Blob.ofUtf8("{}"),
                        original.previousHash(),
                        original.hash()));
        for (JournalEntry edit : edits) {
            chain.set(2, new StoredEntry(3, edit));
            broken(3, Fault.EDITED);
        }
    }

    @Test
    void anEditWithARecomputedHashIsFoundAtTheNextEntry() {
        JournalEntry original = chain.get(1).entry();
        Blob payload = Blob.ofUtf8("{}");
        Blob forged = EventCodec.hash(original.previousHash(), original.type(), 1, payload);
        chain.set(
                1, new StoredEntry(2, new JournalEntry(original.type(), 1, payload, original.previousHash(), forged)));
        broken(3, Fault.UNLINKED);
    }

    @Test
    void swappedEntriesAreFound() {
        StoredEntry second = chain.get(1);
        chain.set(1, new StoredEntry(2, chain.get(2).entry()));
        chain.set(2, new StoredEntry(3, second.entry()));
        broken(2, Fault.UNLINKED);
    }

    @Test
    void anotherRunsEntriesDoNotFit() {
        List<StoredEntry> other = chain(Fixtures.run(2));
        chain.set(3, other.get(3));
        broken(4, Fault.UNLINKED);

        assertThat(ChainCheck.check(RUN, other)).isEqualTo(new Broken(1, Fault.UNLINKED, EventCodec.genesis(RUN)));
    }

    private void broken(long seq, Fault fault) {
        Blob head = seq == 1
                ? EventCodec.genesis(RUN)
                : chain.get((int) seq - 2).entry().hash();
        assertThat(ChainCheck.check(RUN, chain)).isEqualTo(new Broken(seq, fault, head));
    }

    private static List<StoredEntry> chain(RunId run) {
        List<StoredEntry> chain = new ArrayList<>();
        Blob head = EventCodec.genesis(run);
        for (RunEvent event : Fixtures.success(run, Fixtures.NOON, Map.of())) {
            JournalEntry entry = EventCodec.standard().encode(event, head);
            chain.add(new StoredEntry(chain.size() + 1, entry));
            head = entry.hash();
        }
        return chain;
    }
}
