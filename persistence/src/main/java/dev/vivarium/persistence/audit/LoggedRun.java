package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A run whose events are all in the log, each as the journal has it.
 *
 * @param positions of its events, the first one's first
 * @param head the hash of the last one, in hexadecimal
 */
public record LoggedRun(RunId run, List<Long> positions, String head) {
    /** Of a window: those that were recorded in the last seconds are meant. */
    private static final int ACTS_MAX = 1_000;

    public LoggedRun {
        positions = List.copyOf(positions);
    }

    /** Compares the journal with the last checkpoint's tree; blocks. Empty where they differ, or the log is behind. */
    static Optional<LoggedRun> of(RunId run, AuditTables tables) {
        List<StoredEntry> entries = tables.journal(run);
        LogHead head = tables.log();
        if (entries.isEmpty() || head.checkpoint().isEmpty()) {
            return Optional.empty();
        }
        Map<Long, Long> places = RunProof.positions(run, tables);
        StoredTree tree = new StoredTree(head.claimedSize(), tables::tile);
        List<Long> positions = new ArrayList<>();
        byte[] hash = Verify.genesis(run.value());
        long seq = 0;
        for (StoredEntry stored : entries) {
            JournalEntry entry = stored.entry();
            seq++;
            Optional<Long> position = Optional.ofNullable(places.get(seq)).filter(at -> at < head.claimedSize());
            if (stored.seq() != seq
                    || position.isEmpty()
                    || !Arrays.equals(entry.previousHash().toByteArray(), hash)) {
                return Optional.empty();
            }
            hash = Verify.eventHash(
                    hash, entry.type(), entry.version(), entry.payload().toByteArray());
            if (!Arrays.equals(
                    Verify.leafHash(Verify.leaf(run.value(), seq, hash)), tree.leafHash(position.orElseThrow()))) {
                return Optional.empty();
            }
            positions.add(position.orElseThrow());
        }
        return places.size() == seq
                ? Optional.of(new LoggedRun(run, positions, HexFormat.of().formatHex(hash)))
                : Optional.empty();
    }

    /** Whether an act from this position on, which a checkpoint has, says that events at all these positions are deleted. */
    static boolean isDeletionLogged(Positions deleted, long from, AuditTables tables) {
        LogHead head = tables.log();
        Window later = new Window(from, head.claimedSize());
        if (head.checkpoint().isEmpty() || later.isEmpty()) {
            return false;
        }
        return tables.windows(ExportPart.DELETIONS, later, AuditOrder.OLDEST).stream()
                .flatMap(window -> tables.entries(ExportPart.DELETIONS, window, AuditOrder.OLDEST, ACTS_MAX).stream())
                .anyMatch(entry -> ExportPart.deleted(entry)
                                .filter(positions -> positions.haveAll(deleted))
                                .isPresent()
                        && of(entry.run(), tables).isPresent());
    }
}
