package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;

/** Writes the fields of one frame, each checked against its range. */
final class FrameWriter {
    /** The size of the length prefix. */
    static final int LENGTH_BYTES = 4;

    private final int limitBytes;
    private ByteBuffer bytes = ByteBuffer.allocate(64).position(LENGTH_BYTES);

    FrameWriter(int limitBytes) {
        this.limitBytes = limitBytes;
    }

    FrameWriter u8(int value, String what) {
        room(1).put((byte) within(value, 0xff, what));
        return this;
    }

    FrameWriter u16(int value, String what) {
        room(2).putShort((short) within(value, 0xffff, what));
        return this;
    }

    FrameWriter u32(int value, String what) {
        room(4).putInt((int) within(value, Integer.MAX_VALUE, what));
        return this;
    }

    FrameWriter u64(long value, String what) {
        room(8).putLong(within(value, Long.MAX_VALUE, what));
        return this;
    }

    /** A constant, encoded as its ordinal as the protocol specifies; the codec's tests pin the order of the enums. */
    @SuppressWarnings("EnumOrdinal")
    FrameWriter choice(Enum<?> constant) {
        return u8(constant.ordinal(), constant.getDeclaringClass().getSimpleName());
    }

    FrameWriter text(String text, String what) {
        if (text.indexOf('\0') >= 0) {
            throw new MalformedFrameException(
                    "The " + what + " contains a NUL character, which cannot be passed to a process.");
        }
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            u32(encoded.remaining(), what);
            room(encoded.remaining()).put(encoded);
            return this;
        } catch (CharacterCodingException unpairedSurrogate) {
            throw new MalformedFrameException("The " + what + " is not valid Unicode text.");
        }
    }

    FrameWriter texts(Collection<String> texts, String what) {
        u32(texts.size(), what);
        texts.forEach(text -> text(text, what));
        return this;
    }

    FrameWriter bytes(Blob data) {
        room(data.length()).put(data.toByteArray());
        return this;
    }

    /** The frame with its length prefix, from position 0 to its limit. */
    ByteBuffer finish() {
        bytes.putInt(0, bytes.position() - LENGTH_BYTES);
        return bytes.flip();
    }

    private static long within(long value, long most, String what) {
        if (value < 0 || value > most) {
            throw new MalformedFrameException("The " + what + " is " + value + "; 0 to " + most + " can be sent.");
        }
        return value;
    }

    private ByteBuffer room(int count) {
        int needed = bytes.position() + count;
        if (needed > LENGTH_BYTES + limitBytes || needed < 0) {
            throw new MalformedFrameException("The frame is longer than " + limitBytes + " bytes.");
        }
        if (needed > bytes.capacity()) {
            int capacity = Math.min(LENGTH_BYTES + limitBytes, Math.max(needed, 2 * bytes.capacity()));
            bytes = ByteBuffer.wrap(Arrays.copyOf(bytes.array(), capacity)).position(bytes.position());
        }
        return bytes;
    }
}
