package dev.vivarium.protocol.api;

import java.time.Instant;
import java.util.List;

/**
 * Totals over the events of all runs.
 *
 * @param measure what is counted
 * @param counts the totals, by period, tenant and key; those that are zero are left out
 * @param head how far the order reached when they were read
 */
public record AuditCounts(String measure, List<Count> counts, AuditHead head) {
    public AuditCounts {
        counts = List.copyOf(counts);
    }

    /**
     * A total.
     *
     * @param period the beginning of the hour or day, in UTC
     * @param tenant the runs' tenant
     * @param key what the measure distinguishes, as a kill's reason; empty when it distinguishes nothing
     * @param total the total
     */
    public record Count(Instant period, String tenant, String key, long total) {}
}
