package dev.vivarium.persistence.audit;

import java.util.List;

/**
 * Consecutive positions that become visible together. All of it is absolute, so that writing a batch again changes
 * nothing.
 *
 * @param first the first position
 * @param entries the events at the positions from it on
 * @param runs what is known of their runs afterwards
 * @param counts the totals that changed
 * @param blocks the times of the blocks that changed
 */
public record AuditBatch(
        long first, List<AuditEntry> entries, List<RunFacts> runs, List<Tally.Count> counts, List<Block> blocks) {
    public AuditBatch {
        entries = List.copyOf(entries);
        runs = List.copyOf(runs);
        counts = List.copyOf(counts);
        blocks = List.copyOf(blocks);
    }

    /** The position after the last one. */
    public long end() {
        return first + entries.size();
    }
}
