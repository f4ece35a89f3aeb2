package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.vivarium.persistence.journal.UnreadableEntry.Reason;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.util.Set;

/**
 * Converts administrative acts to journal entries and back, in the form of a run's events: an act is a chain of one entry.
 * Pure and thread-safe. All types are at version 1; to change an act's shape, raise its version and add an upcaster, as
 * {@link EventCodec} has them.
 */
public final class ActCodec {
    private static final int VERSION = 1;
    private static final Set<String> TYPES = EntryTypes.below(Act.class);
    private static final ObjectReader READER = JournalJson.MAPPER.readerFor(Act.class);

    private ActCodec() {}

    /** The names of all acts. */
    public static Set<String> types() {
        return TYPES;
    }

    /** Encodes an act as the only entry of its chain. */
    public static JournalEntry encode(ActId id, Act act) {
        String type = act.getClass().getSimpleName();
        Blob genesis = EventCodec.genesis(new RunId(id.value()));
        try {
            Blob payload = Blob.of(JournalJson.MAPPER.writerFor(Act.class).writeValueAsBytes(act));
            return new JournalEntry(type, VERSION, payload, genesis, EventCodec.hash(genesis, type, VERSION, payload));
        } catch (JsonProcessingException notWritable) {
            throw new IllegalArgumentException("The act " + type + " cannot be written as JSON.", notWritable);
        }
    }

    /**
     * Decodes an act.
     *
     * @throws UnreadableEntry with the reason, for an entry that this version cannot read
     */
    public static Act decode(JournalEntry entry) {
        EventShape stored = new EventShape(entry.type(), entry.version());
        if (!TYPES.contains(entry.type())) {
            throw new UnreadableEntry(Reason.UNKNOWN_TYPE, stored, null);
        }
        if (entry.version() > VERSION) {
            throw new UnreadableEntry(Reason.NEWER_VERSION, stored, null);
        }
        try {
            Act act = READER.readValue(entry.payload().toByteArray());
            if (act != null && act.getClass().getSimpleName().equals(entry.type())) {
                return act;
            }
            throw new UnreadableEntry(Reason.DAMAGED, stored, null);
        } catch (IOException | IllegalArgumentException notReadable) {
            throw new UnreadableEntry(Reason.DAMAGED, stored, notReadable);
        }
    }
}
