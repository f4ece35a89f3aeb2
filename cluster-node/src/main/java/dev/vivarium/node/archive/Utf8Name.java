package dev.vivarium.node.archive;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Names of files, which are arbitrary bytes to the kernel and to tar, as text. */
public final class Utf8Name {
    private Utf8Name() {}

    /** The name; empty if it is not UTF-8. */
    public static Optional<String> of(byte[] name) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(name))
                    .toString());
        } catch (CharacterCodingException other) {
            return Optional.empty();
        }
    }

    /** The name for display, with replacements for invalid UTF-8. */
    public static String shown(byte[] name) {
        return new String(name, StandardCharsets.UTF_8);
    }
}
