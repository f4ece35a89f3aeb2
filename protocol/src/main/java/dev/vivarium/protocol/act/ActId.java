package dev.vivarium.protocol.act;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * Permanent id of an act. It has the form of a run's id, since acts and runs are in one order, but begins with 7: a ULID
 * of a run does so from the year 9755 on.
 *
 * @param value 26 characters of Crockford's base 32 in lower case
 */
public record ActId(@JsonValue String value) {
    /** What all begin with. */
    public static final char FIRST = '7';

    private static final Pattern SHAPE = Pattern.compile(FIRST + "[0-9a-hjkmnp-tv-z]{25}");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public ActId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("The id of an act is 7 and 25 characters of Crockford's base 32.");
        }
    }

    /** Whether the text has the form of an act's id. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
