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

    /** What a name must be that a person chooses for others, for users; see {@link #isPlain}. */
    public static final String PLAIN_RULE =
            "must be 1 to 63 lower-case letters, digits, '.', '_' or '-', and begin and end with a letter or digit";

    /** No look-alikes and no case. */
    private static final Pattern PLAIN = Pattern.compile("[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?");

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

    /**
     * Whether a person may choose the name for others: for a token, or for quotas. Narrower than what a label may name,
     * so that no tenant looks like another.
     */
    public static boolean isPlain(String name) {
        return PLAIN.matcher(name).matches();
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
