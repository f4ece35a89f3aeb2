package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.LogHead;

/**
 * What an export has.
 *
 * @param filter which events
 * @param from the first position
 * @param to the position after the last one, at most the checkpoint's events
 * @param log the log whose checkpoint is the export's last line
 */
public record ExportRange(AuditFilter filter, long from, long to, LogHead log) {
    public ExportRange {
        if (from < 0 || from > to || to > log.claimedSize()) {
            throw new IllegalArgumentException("The positions " + from + " to " + to + " are not within the "
                    + log.claimedSize() + " of the checkpoint.");
        }
    }
}
