package dev.vivarium.node.admission;

import dev.vivarium.protocol.egress.InjectedHeader;

/**
 * The cleartext value of a secret, for as long as it takes to seal it. Prints as stars, so that no log line, exception
 * or debugger view of what surrounds it can show it by accident.
 */
public final class Secret {
    private final String cleartext;

    public Secret(String cleartext) {
        this.cleartext = cleartext;
    }

    /** Whether it can be sent as the value of a header: printable ASCII without blanks around it, and not too much of it. */
    boolean fitsHeader() {
        return InjectedHeader.carries(cleartext);
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
