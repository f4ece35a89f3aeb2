package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.databind.JsonMappingException;
import org.jspecify.annotations.Nullable;

/** A journal entry that this version of the code cannot read. The message never contains any of the payload. */
public final class UnreadableEntry extends RuntimeException {
    /** Why an entry cannot be read. */
    public enum Reason {
        /** The event type is unknown: written by a newer node, or not by Vivarium. */
        UNKNOWN_TYPE("has a type that this node does not know; it was written by a newer node"),
        /** The event's version is unknown: written by a newer node. */
        NEWER_VERSION("has a version that this node does not know; it was written by a newer node"),
        /** The version is old and no upcaster leads to the current one: a bug. */
        NO_UPCASTER("has an old version without an upcaster to the current one"),
        /** The payload does not have the shape of its type and version. */
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

    /** Jackson's messages quote values, which may be confidential: log the position only. */
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
