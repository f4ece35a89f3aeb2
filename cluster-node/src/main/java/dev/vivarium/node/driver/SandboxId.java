package dev.vivarium.node.driver;

import java.util.regex.Pattern;

/**
 * Names one sandbox on this node: a ULID in lower case, chosen by the node before the sandbox exists.
 *
 * @param value the 26 characters
 */
public record SandboxId(String value) {
    private static final Pattern SHAPE = Pattern.compile("[0-7][0-9a-hjkmnp-tv-z]{25}");

    public SandboxId {
        // It becomes a part of names and filters that drivers hand to engines.
        if (!isValid(value)) {
            throw new IllegalArgumentException("A sandbox id is 26 characters of Crockford's base 32 in lower case.");
        }
    }

    /** Tells whether the text has the shape of a sandbox id. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
