package dev.vivarium.protocol.api;

import java.util.List;
import java.util.Optional;

/**
 * One page of events of all runs.
 *
 * @param events the events, in the order asked for
 * @param end why the page ends where it does
 * @param next the cursor of the next page; empty when nothing can follow. With the oldest first there always is one: at
 *     the end it leads to the events that come later
 * @param head how far the order reached when the page was read
 */
public record AuditPage(List<AuditEventView> events, End end, Optional<String> next, AuditHead head) {
    public AuditPage {
        events = List.copyOf(events);
    }

    /** Why a page ends. */
    public enum End {
        /** It has as many events as were asked for, and there are more. */
        FULL,
        /** The query took as much as one page may: the next page looks further. */
        BUDGET,
        /** There are no more. */
        COMPLETE
    }
}
