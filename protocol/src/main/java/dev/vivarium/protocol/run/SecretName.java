package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name of a secret that a tenant keeps for its runs. Its grammar has no case and no look-alikes, and nothing that means
 * something in a path.
 *
 * @param value 1 to 64 characters; see {@link #RULE}
 */
public record SecretName(@JsonValue String value) implements Comparable<SecretName> {
    /** What a name must be, for users. */
    public static final String RULE =
            "must be 1 to 64 lower-case letters and digits, with single '.', '_' or '-' between"
                    + " them, such as github-token";

    private static final Pattern SHAPE = Pattern.compile("(?=.{1,64}\\z)[a-z0-9]++(?:[._-][a-z0-9]++)*+");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public SecretName {
        if (!isValid(value)) {
            throw new IllegalArgumentException("The name of a secret " + RULE + ".");
        }
    }

    /** Whether the text is a valid name. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public int compareTo(SecretName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
