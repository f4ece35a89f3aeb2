package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * Names one run for ever: a ULID in lower case, 26 characters of Crockford's base 32. It is safe in URLs, file names,
 * labels and container names as it stands.
 *
 * @param value the 26 characters
 */
public record RunId(@JsonValue String value) {
    private static final Pattern SHAPE = Pattern.compile("[0-7][0-9a-hjkmnp-tv-z]{25}");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public RunId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("A run id is 26 characters of Crockford's base 32 in lower case.");
        }
    }

    /** Tells whether the text has the shape of a run id; says nothing about whether such a run exists. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
