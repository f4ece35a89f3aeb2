package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What proves a run's history to a stranger; {@link Verify} has the format and the check. The events are the journal's,
 * the positions the order's: where the two differ, the proof says so, and does not hold.
 *
 * @param text the proof
 * @param extent whether all events of the run are in the log
 */
public record RunProof(String text, Extent extent) {
    private static final int PAGE = 1_000;

    /** How much of a run the log has. */
    public enum Extent {
        WHOLE,
        /** Some events are not in the log, or not yet. */
        IN_PART
    }

    /** An event as two tables have it. */
    private record Known(Optional<Long> position, Optional<JournalEntry> entry) {
        Known at(long found) {
            return new Known(Optional.of(found), entry);
        }
    }

    /** The proof of a run at the last checkpoint; blocks. Empty while there is no checkpoint. */
    static Optional<RunProof> of(RunId run, AuditTables tables) {
        SortedMap<Long, Known> events = new TreeMap<>();
        for (StoredEntry stored : tables.journal(run)) {
            events.put(stored.seq(), new Known(Optional.empty(), Optional.of(stored.entry())));
        }
        LogHead head = tables.log();
        if (head.checkpoint().isEmpty()) {
            return Optional.empty();
        }
        positions(run, tables)
                .forEach((seq, position) -> events.merge(
                        seq, new Known(Optional.of(position), Optional.empty()), (known, fresh) -> known.at(position)));
        return Optional.of(written(run, events, head, new StoredTree(head.claimedSize(), tables::tile)));
    }

    /** The positions of a run's events, by their numbers. */
    static SortedMap<Long, Long> positions(RunId run, AuditTables tables) {
        SortedMap<Long, Long> positions = new TreeMap<>();
        AuditFilter filter = AuditFilter.ALL.withRuns(Set.of(run));
        Window all = new Window(0, tables.head().size());
        if (all.isEmpty()) {
            return positions;
        }
        for (Window window : tables.windows(filter, all, AuditOrder.OLDEST)) {
            Window left = window;
            int found = PAGE;
            while (found == PAGE && !left.isEmpty()) {
                found = 0;
                for (AuditEntry entry : tables.entries(filter, left, AuditOrder.OLDEST, PAGE)) {
                    found++;
                    left = new Window(entry.position() + 1, window.to());
                    positions.put(entry.seq(), entry.position());
                }
            }
        }
        return positions;
    }

    private static RunProof written(RunId run, SortedMap<Long, Known> events, LogHead head, StoredTree tree) {
        StringBuilder text = new StringBuilder(Verify.FORMAT + "\nrun " + run + "\n");
        Extent extent = Extent.WHOLE;
        Base64.Encoder base64 = Base64.getEncoder();
        for (var event : events.entrySet()) {
            Known known = event.getValue();
            boolean proven =
                    known.position().filter(at -> at < head.claimedSize()).isPresent();
            if (!proven || known.entry().isEmpty()) {
                extent = Extent.IN_PART;
            }
            String position = known.position().map(String::valueOf).orElse("-");
            if (known.entry().isEmpty()) {
                text.append("missing " + event.getKey() + " " + position + "\n");
                continue;
            }
            JournalEntry entry = known.entry().get();
            text.append("event " + event.getKey() + " " + position + " "
                    + URLEncoder.encode(entry.type(), StandardCharsets.UTF_8) + " " + entry.version() + " "
                    + base64.encodeToString(entry.previousHash().toByteArray()) + " "
                    + base64.encodeToString(entry.payload().toByteArray()) + "\n");
            if (proven) {
                tree.inclusion(known.position().orElseThrow())
                        .forEach(hash -> text.append(base64.encodeToString(hash) + "\n"));
            }
        }
        return new RunProof(text + "\n" + head.checkpoint(), extent);
    }
}
