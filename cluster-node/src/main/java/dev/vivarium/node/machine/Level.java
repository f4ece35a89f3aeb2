package dev.vivarium.node.machine;

import java.util.Locale;

/** How much a finding matters. */
public enum Level {
    /** No problem. */
    OK,
    /** Worth knowing; every promise is kept. */
    NOTE,
    /** Something is weaker or smaller than it could be. */
    WARNING,
    /** Sandboxes do not work here, or do not contain their programs. */
    PROBLEM;

    /** Its name in tables and JSON. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
