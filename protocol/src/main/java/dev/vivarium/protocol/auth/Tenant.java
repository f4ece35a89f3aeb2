package dev.vivarium.protocol.auth;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The party that a run belongs to: fairness, idempotency keys and lists go by tenant.
 *
 * @param name 1 to {@value #NAME_MAX} characters, none of them a control character
 */
public record Tenant(@JsonValue String name) implements Comparable<Tenant> {
    /** The longest name, in characters. */
    public static final int NAME_MAX = 255;

    private static final Pattern NAME = Pattern.compile("[^\\p{Cc}]{1," + NAME_MAX + "}");

    /** The tenant of a request that names none. */
    public static final Tenant DEFAULT = new Tenant("default");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public Tenant {
        if (!isValid(name)) {
            throw new IllegalArgumentException(
                    "A tenant's name is 1 to " + NAME_MAX + " characters, none of them a control character.");
        }
    }

    /** Whether the text is a valid tenant name. */
    public static boolean isValid(String name) {
        return NAME.matcher(name).matches();
    }

    @Override
    public int compareTo(Tenant other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
