package dev.vivarium.node.run;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import java.util.function.Function;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;

/**
 * Between the journal, which keeps bytes, and the entity, which wants events: an entry is decoded once, when it is read
 * from the journal, or before it is written, as the proof that it can be read again.
 */
final class RunEntries extends EventAdapter<DecodedEntry, JournalEntry> {
    private static final RunEntries STANDARD = new RunEntries(EventCodec.standard()::decode);

    private final Function<JournalEntry, RunEvent> decode;

    RunEntries(Function<JournalEntry, RunEvent> decode) {
        this.decode = decode;
    }

    /** With the codec of today's events. */
    static RunEntries standard() {
        return STANDARD;
    }

    /** The entry of an event that follows the one with the hash. */
    DecodedEntry encode(RunEvent event, Blob previousHash) {
        return decoded(EventCodec.standard().encode(event, previousHash));
    }

    @Override
    public JournalEntry toJournal(DecodedEntry entry) {
        return entry.stored();
    }

    @Override
    public EventSeq<DecodedEntry> fromJournal(JournalEntry stored, String manifest) {
        return EventSeq.single(decoded(stored));
    }

    /** Entries say their type and version themselves. */
    @Override
    public String manifest(DecodedEntry entry) {
        return "";
    }

    private DecodedEntry decoded(JournalEntry stored) {
        return new DecodedEntry(stored, decode.apply(stored));
    }
}
