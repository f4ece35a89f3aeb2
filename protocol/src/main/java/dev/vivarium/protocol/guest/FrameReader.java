package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads the fields of one frame, trusting none of their lengths. */
final class FrameReader {
    private final ByteBuffer bytes;

    FrameReader(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    int u8() {
        return Byte.toUnsignedInt(have(1).get());
    }

    int u16() {
        return Short.toUnsignedInt(have(2).getShort());
    }

    int u32() {
        int value = have(4).getInt();
        if (value < 0) {
            throw new MalformedFrameException("A frame carries a number beyond 2147483647.");
        }
        return value;
    }

    long u64() {
        long value = have(8).getLong();
        if (value < 0) {
            throw new MalformedFrameException("A frame carries a number beyond 9223372036854775807.");
        }
        return value;
    }

    boolean flag() {
        int value = u8();
        if (value > 1) {
            throw new MalformedFrameException("A frame carries " + value + " where a boolean (1 or 0) belongs.");
        }
        return value == 1;
    }

    /** A constant, encoded as its ordinal. */
    <E extends Enum<E>> E choice(E[] constants) {
        int position = u8();
        if (position >= constants.length) {
            throw new MalformedFrameException("A frame carries choice " + position + " of " + constants.length + ".");
        }
        return constants[position];
    }

    String text() {
        int length = u32();
        ByteBuffer encoded = have(length).slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(encoded).toString();
            if (text.indexOf('\0') >= 0) {
                throw new MalformedFrameException("A frame carries a text with a NUL character.");
            }
            return text;
        } catch (CharacterCodingException invalid) {
            throw new MalformedFrameException("A frame carries a text that is not UTF-8.");
        }
    }

    List<String> texts() {
        int count = u32();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(text());
        }
        return List.copyOf(texts);
    }

    boolean hasMore() {
        return bytes.hasRemaining();
    }

    Blob bytes(int count) {
        have(count);
        byte[] some = new byte[count];
        bytes.get(some);
        return Blob.of(some);
    }

    /** All remaining bytes. */
    Blob bytes() {
        byte[] rest = new byte[bytes.remaining()];
        bytes.get(rest);
        return Blob.of(rest);
    }

    void end() {
        if (bytes.hasRemaining()) {
            throw new MalformedFrameException("A frame has " + bytes.remaining() + " bytes after its last field.");
        }
    }

    private ByteBuffer have(int count) {
        if (bytes.remaining() < count) {
            throw new MalformedFrameException("A frame ends within a field.");
        }
        return bytes;
    }
}
