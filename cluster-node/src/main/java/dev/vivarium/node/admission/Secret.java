package dev.vivarium.node.admission;

import java.util.regex.Pattern;

/**
 * The cleartext value of a secret, for as long as it takes to seal it. Prints as stars, so that no log line, exception
 * or debugger view of what surrounds it can show it by accident.
 */
public final class Secret {
    /** The longest that is sent as a header: what servers commonly take. */
    static final int HEADER_LENGTH_MAX = 4096;

    private static final Pattern HEADER_VALUE =
            Pattern.compile("(?=[ -~]{1," + HEADER_LENGTH_MAX + "}\\z)[!-~](?:.*[!-~])?");

    private final String cleartext;

    public Secret(String cleartext) {
        this.cleartext = cleartext;
    }

    /** Whether it can be sent as the value of a header: printable ASCII without blanks around it, and not too much of it. */
    boolean fitsHeader() {
        return HEADER_VALUE.matcher(cleartext).matches();
    }

    String reveal() {
        return cleartext;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret that && cleartext.equals(that.cleartext);
    }

    @Override
    public int hashCode() {
        return cleartext.hashCode();
    }

    @Override
    public String toString() {
        return "***";
    }
}
