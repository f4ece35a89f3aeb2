package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * Permanent id of a run: a ULID in lower case, 26 characters of Crockford's base 32. Safe in URLs, file names, labels
 * and container names without escaping.
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

    /** Whether the text has the form of a run id; the run need not exist. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
