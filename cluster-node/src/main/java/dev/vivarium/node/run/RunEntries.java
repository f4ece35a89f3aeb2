package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import java.util.function.Function;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;

/**
 * Converts between the journal's bytes and the entity's events. An entry is decoded once: when it is read from the
 * journal, or before it is written, as the proof that it can be read again.
 */
final class RunEntries extends EventAdapter<DecodedEntry, Object> {
    private static final RunEntries STANDARD = new RunEntries(EventCodec.standard()::decode);

    private final Function<JournalEntry, RunEvent> decode;

    RunEntries(Function<JournalEntry, RunEvent> decode) {
        this.decode = decode;
    }

    /** With the codec for this version's events. */
    static RunEntries standard() {
        return STANDARD;
    }

    /** Encodes an event as the entry after the one with the hash. */
    DecodedEntry encode(RunEvent event, Blob previousHash) {
        return decoded(EventCodec.standard().encode(event, previousHash));
    }

    @Override
    public Object toJournal(DecodedEntry entry) {
        return entry.change().isPresent() ? entry.change().get() : entry.stored();
    }

    @Override
    public EventSeq<DecodedEntry> fromJournal(Object stored, String manifest) {
        return EventSeq.single(decoded((JournalEntry) stored));
    }

    /** Entries contain their own type and version. */
    @Override
    public String manifest(DecodedEntry entry) {
        return "";
    }

    private DecodedEntry decoded(JournalEntry stored) {
        return new DecodedEntry(stored, decode.apply(stored));
    }
}
