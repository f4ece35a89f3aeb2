package dev.vivarium.persistence.audit.tlog;

/** The store does not have the tree that it should have. The message is a sentence for the operator. */
public final class TreeDamaged extends RuntimeException {
    /** With the sentence. */
    public TreeDamaged(String message) {
        super(message);
    }
}
