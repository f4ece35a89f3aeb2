package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.Blob;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The binary form of an entry in the journal: length and bytes of the type, the previous hash and the hash (one length
 * byte each), the version (four bytes), then the payload. Pure.
 */
public final class JournalEntryFormat {
    /** The format's name, stored beside the bytes. A new format gets a new name; old ones stay readable. */
    public static final String MANIFEST = "entry/1";

    private static final int LENGTH_MAX = 255;

    private JournalEntryFormat() {}

    public static byte[] write(JournalEntry entry) {
        byte[] type = entry.type().getBytes(StandardCharsets.UTF_8);
        byte[] previousHash = entry.previousHash().toByteArray();
        byte[] hash = entry.hash().toByteArray();
        byte[] payload = entry.payload().toByteArray();
        ByteBuffer out = ByteBuffer.allocate(
                3 + type.length + previousHash.length + hash.length + Integer.BYTES + payload.length);
        putShort(out, type);
        putShort(out, previousHash);
        putShort(out, hash);
        return out.putInt(entry.version()).put(payload).array();
    }

    /**
     * Reads the bytes of {@link #write}.
     *
     * @throws IllegalArgumentException for bytes that are not an entry
     */
    public static JournalEntry read(String manifest, byte[] bytes) {
        if (!manifest.equals(MANIFEST)) {
            throw new IllegalArgumentException("The journal entry has the format '" + manifest
                    + "', and this node knows only '" + MANIFEST + "'.");
        }
        try {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            String type = new String(getShort(in), StandardCharsets.UTF_8);
            Blob previousHash = Blob.of(getShort(in));
            Blob hash = Blob.of(getShort(in));
            int version = in.getInt();
            byte[] payload = new byte[in.remaining()];
            in.get(payload);
            return new JournalEntry(type, version, Blob.of(payload), previousHash, hash);
        } catch (BufferUnderflowException cutOff) {
            throw new IllegalArgumentException("The journal entry is truncated.", cutOff);
        }
    }

    private static void putShort(ByteBuffer out, byte[] field) {
        if (field.length > LENGTH_MAX) {
            throw new IllegalArgumentException("Type and hashes have at most " + LENGTH_MAX + " bytes each.");
        }
        out.put((byte) field.length).put(field);
    }

    private static byte[] getShort(ByteBuffer in) {
        byte[] field = new byte[Byte.toUnsignedInt(in.get())];
        in.get(field);
        return field;
    }
}
