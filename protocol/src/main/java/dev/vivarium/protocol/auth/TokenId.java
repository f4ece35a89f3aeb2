package dev.vivarium.protocol.auth;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The public name of a token, in lists, in events and in logs. It reveals nothing about the token.
 *
 * @param value 16 lower-case hexadecimal digits
 */
public record TokenId(@JsonValue String value) {
    private static final Pattern SHAPE = Pattern.compile("[0-9a-f]{16}");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public TokenId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("A token's id is 16 lower-case hexadecimal digits.");
        }
    }

    /** Whether the text can be an id. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
