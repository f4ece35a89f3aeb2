package dev.vivarium.persistence.journal;

import java.io.NotSerializableException;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/** Pekko serializer of journal entries; bound in reference.conf. */
public final class JournalEntrySerializer extends SerializerWithStringManifest {
    /** Stored with every entry; never change it. */
    public static final int IDENTIFIER = 86_001;

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object entry) {
        return JournalEntryFormat.MANIFEST;
    }

    @Override
    public byte[] toBinary(Object entry) {
        if (entry instanceof JournalEntry journalEntry) {
            return JournalEntryFormat.write(journalEntry);
        }
        if (entry instanceof RememberingEntry remembering) {
            return JournalEntryFormat.write(remembering.entry());
        }
        throw new IllegalArgumentException(entry.getClass().getName() + " is not a journal entry.");
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        try {
            return JournalEntryFormat.read(manifest, bytes);
        } catch (IllegalArgumentException notAnEntry) {
            NotSerializableException refused = new NotSerializableException(notAnEntry.getMessage());
            refused.initCause(notAnEntry);
            throw refused;
        }
    }
}
