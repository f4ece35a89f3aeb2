package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.protocol.api.AuditEventView;
import dev.vivarium.protocol.api.EventView;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * An event with its position in the order over all runs, and what it is found by.
 *
 * @param position from 0, without gaps; never changes
 * @param at when it happened, by the recording node's clock
 * @param run the event's run; the act's own id, where it is an administrative act
 * @param seq the event's number in its run
 * @param type the event's name
 * @param node the node that recorded it
 * @param tenant the run's tenant, or the one that an act concerns; "" where it concerns no single one
 * @param image the run's image; "" of an act
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

    /** The event as the API shows it. */
    public AuditEventView view() {
        return new AuditEventView(
                position,
                run,
                seq,
                at,
                type,
                node,
                tenant,
                image,
                by,
                reason,
                event(),
                entry.hash().toHex());
    }

    /** Empty when this version cannot read it. */
    private Optional<EventView> event() {
        try {
            if (ChainPersistenceId.isAct(run)) {
                return Optional.of(EventView.of(
                        run,
                        ActCodec.decode(entry),
                        entry.previousHash().toHex(),
                        entry.hash().toHex()));
            }
            return Optional.of(EventView.of(
                    run,
                    seq,
                    EventCodec.standard().decode(entry),
                    entry.previousHash().toHex(),
                    entry.hash().toHex()));
        } catch (UnreadableEntry newer) {
            return Optional.empty();
        }
    }
}
