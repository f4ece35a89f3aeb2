package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Immutable bytes with value equality. {@code toString} gives the length only, since the content may be large or
 * confidential.
 */
public final class Blob {
    public static final Blob EMPTY = new Blob(new byte[0]);

    private final byte[] bytes;

    private Blob(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Copies the bytes in. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Blob of(byte[] bytes) {
        return new Blob(bytes.clone());
    }

    public static Blob ofUtf8(String text) {
        return new Blob(text.getBytes(StandardCharsets.UTF_8));
    }

    public int length() {
        return bytes.length;
    }

    /** Copies the bytes out. */
    @JsonValue
    public byte[] toByteArray() {
        return bytes.clone();
    }

    public String toHex() {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Blob that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "Blob(" + bytes.length + " bytes)";
    }
}
