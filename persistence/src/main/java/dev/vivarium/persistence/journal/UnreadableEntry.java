package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.databind.JsonMappingException;
import org.jspecify.annotations.Nullable;

/** A journal entry that this version of the code cannot read. The message never holds any of the entry's payload. */
public final class UnreadableEntry extends RuntimeException {
    /** Why an entry cannot be read. */
    public enum Reason {
        /** No event of this name is known: it was written by a newer node, or by none of ours. */
        UNKNOWN_TYPE("has a type that this node does not know; it was written by a newer node"),
        /** The event is known, its version is not: it was written by a newer node. */
        NEWER_VERSION("has a version that this node does not know; it was written by a newer node"),
        /** The version is older than today's and nothing leads from it to today's: a defect. */
        NO_UPCASTER("has an old version that nothing brings to today's shape"),
        /** The payload does not have the shape that its type and version promise. */
        DAMAGED("does not have the shape of its type and version");

        private final String sentence;

        Reason(String sentence) {
            this.sentence = sentence;
        }
    }

    private final Reason reason;
    private final EventShape shape;

    UnreadableEntry(Reason reason, EventShape shape, @Nullable Throwable cause) {
        super(
                "The journal entry " + shape.type() + " version " + shape.version() + " " + reason.sentence + ".",
                redacted(cause));
        this.reason = reason;
        this.shape = shape;
    }

    /** Jackson quotes values in its messages, and a value may be what nobody should find in a log: the place is enough. */
    private static @Nullable Throwable redacted(@Nullable Throwable cause) {
        return cause instanceof JsonMappingException mapping
                ? new IllegalArgumentException("at " + mapping.getPathReference())
                : null;
    }

    public Reason reason() {
        return reason;
    }

    public EventShape shape() {
        return shape;
    }
}
