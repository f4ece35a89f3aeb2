package dev.vivarium.protocol.egress;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.IDN;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A host name in canonical form: A-labels in lower case, without a trailing dot. Never an address in any notation: a
 * name whose last label is a number is rejected, so {@code 0177.1} and {@code 0x7f.1} are not names.
 *
 * @param value the name, at most 253 characters in labels of at most 63
 */
public record HostName(@JsonValue String value) {
    private static final int LENGTH_MAX = 253;
    // RFC 1123 does not allow underscores in host names, but buckets and service records use them.
    private static final String LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
    private static final Pattern SHAPE = Pattern.compile(LABEL + "(?:\\." + LABEL + ")*");
    /** What the C library, and so most programs, parse as a number at the end of an address. */
    private static final Pattern ENDS_IN_NUMBER = Pattern.compile("(?:.*\\.)?(?:[0-9]+|0x[0-9a-f]*)");

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public HostName {
        if (!isCanonical(value)) {
            throw new IllegalArgumentException(
                    "must be a host's name: labels of letters, digits and dashes, 63 characters at most each and "
                            + LENGTH_MAX + " in all, such as api.example.com");
        }
    }

    /**
     * Parses a name as a user writes it: in any case and script, with or without a trailing dot.
     *
     * @throws IllegalArgumentException with a predicate to follow the field's name, when it is not a name
     */
    public static HostName parse(String text) {
        String ascii = text;
        if (!isAscii(text)) {
            try {
                ascii = IDN.toASCII(text);
            } catch (IllegalArgumentException notConvertible) {
                throw new IllegalArgumentException("has letters that no name on the internet can have", notConvertible);
            }
        }
        return new HostName(folded(ascii));
    }

    /** Parses a name sent by a peer, where only A-labels are valid; empty when it is not a name. */
    public static Optional<HostName> received(String text) {
        String folded = folded(text);
        // Check for ASCII before lowering case: case folding turns some other characters into ASCII, such as the Kelvin
        // sign into k.
        return isAscii(text) && isCanonical(folded) ? Optional.of(new HostName(folded)) : Optional.empty();
    }

    /** Whether the name has at least two labels. */
    public boolean isQualified() {
        return value.indexOf('.') >= 0;
    }

    /** Whether the name is below the domain, at any depth; a name is not below itself. */
    public boolean isBelow(HostName domain) {
        return value.endsWith("." + domain.value);
    }

    @Override
    public String toString() {
        return value;
    }

    private static String folded(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    private static boolean isCanonical(String text) {
        return text.length() <= LENGTH_MAX
                && SHAPE.matcher(text).matches()
                && !ENDS_IN_NUMBER.matcher(text).matches();
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(character -> character < 0x80);
    }
}
