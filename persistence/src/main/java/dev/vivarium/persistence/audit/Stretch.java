package dev.vivarium.persistence.audit;

import dev.vivarium.protocol.api.AuditHead;
import java.util.List;

/**
 * Events that were found in a range of positions, the oldest first.
 *
 * @param next the position to go on from: all matching events of the range before it are among the entries
 * @param head how far the order reached when they were read
 */
public record Stretch(List<AuditEntry> entries, long next, AuditHead head) {
    public Stretch {
        entries = List.copyOf(entries);
    }
}
