package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * An event with its position in the order over all runs, and what it is found by.
 *
 * @param position from 0, without gaps; never changes
 * @param at when it happened, by the recording node's clock
 * @param run the event's run
 * @param seq the event's number in its run
 * @param type the event's name
 * @param node the node that recorded it
 * @param tenant the run's tenant
 * @param image the run's image
 * @param by the principal that caused it, if the event names one
 * @param reason why the run was killed, if it was
 * @param labels the run's labels
 * @param entry the event as the journal stores it
 */
public record AuditEntry(
        long position,
        Instant at,
        RunId run,
        long seq,
        String type,
        String node,
        String tenant,
        String image,
        Optional<String> by,
        Optional<String> reason,
        Map<String, String> labels,
        JournalEntry entry) {
    public AuditEntry {
        labels = Map.copyOf(labels);
    }
}
