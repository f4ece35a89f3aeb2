package dev.vivarium.persistence.audit;

import java.util.Optional;

/**
 * A page of events that is asked for.
 *
 * @param cursor where the page before ended
 * @param limit events per page, 1 to {@value #LIMIT_MAX}
 */
public record AuditQuery(AuditFilter filter, AuditOrder order, Optional<String> cursor, int limit) {
    /** The most events per page. */
    public static final int LIMIT_MAX = 500;

    public AuditQuery {
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new IllegalArgumentException("The limit must be from 1 to " + LIMIT_MAX + ".");
        }
    }

    /** The text is no cursor of this query. */
    public static final class BadCursor extends RuntimeException {
        /** With a sentence that says what to do. */
        public BadCursor(String message) {
            super(message);
        }
    }
}
