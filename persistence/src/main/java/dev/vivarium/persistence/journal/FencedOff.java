package dev.vivarium.persistence.journal;

/** Another writer has written an entry with this number. This writer must read the journal again. */
public final class FencedOff extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public FencedOff(String journal, long seq) {
        super("Entry " + seq + " of " + journal + " is no longer this writer's: another one has continued from"
                + " entry " + (seq - 1) + ".");
    }
}
