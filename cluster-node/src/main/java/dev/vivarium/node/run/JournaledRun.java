package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.ArrayList;
import java.util.List;

/**
 * What the entity keeps of its journal: the state that the events fold to, and the head of their chain. Pure.
 *
 * @param state the run's state
 * @param head the hash of the last entry
 * @param seq the number of the last entry; 0 when there is none
 */
record JournaledRun(RunState state, Blob head, long seq) {
    static JournaledRun of(RunId run) {
        return new JournaledRun(RunState.initial(), EventCodec.genesis(run), 0);
    }

    /** The ledger after an entry of the journal. */
    JournaledRun after(JournalEntry entry) {
        return new JournaledRun(state.after(EventCodec.standard().decode(entry)), entry.hash(), seq + 1);
    }

    /**
     * The entries for events that happen now, one after the other, chained to the last one. Each is first tried on the
     * state: an illegal event is a defect, and must not reach the journal.
     */
    List<JournalEntry> entries(List<RunEvent> events) {
        List<JournalEntry> entries = new ArrayList<>();
        JournaledRun ledger = this;
        for (RunEvent event : events) {
            JournalEntry entry = EventCodec.standard().encode(event, ledger.head);
            ledger = ledger.after(entry);
            entries.add(entry);
        }
        return entries;
    }
}
