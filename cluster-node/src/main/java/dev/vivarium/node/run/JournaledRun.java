package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.ArrayList;
import java.util.List;

/**
 * The journal as the entity tracks it: the state after its events, and the head of their hash chain. Pure.
 *
 * @param state the run's state
 * @param head the hash of the last entry
 * @param seq the number of the last entry; 0 when there is none
 */
record JournaledRun(RunState state, Blob head, long seq) {
    static JournaledRun of(RunId run) {
        return new JournaledRun(RunState.initial(), EventCodec.genesis(run), 0);
    }

    /** The run after a journal entry. */
    JournaledRun after(DecodedEntry entry) {
        return new JournaledRun(state.after(entry.event()), entry.stored().hash(), seq + 1);
    }

    /**
     * Encodes new events as entries that continue the chain. Each event is first applied to the state: an illegal one
     * is a bug and must not reach the journal.
     */
    List<DecodedEntry> entries(RunEntries format, List<RunEvent> events) {
        List<DecodedEntry> entries = new ArrayList<>();
        JournaledRun run = this;
        for (RunEvent event : events) {
            DecodedEntry entry = format.encode(event, run.head);
            run = run.after(entry);
            entries.add(entry);
        }
        return entries;
    }

    /** The state of an existing run. */
    RunState.Existing existing() {
        return (RunState.Existing) state;
    }
}
