package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.AuditTables.Seat;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.AuditTables.Written;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.audit.tlog.LogGrowth;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.Tile;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.persistence.audit.tlog.TreeEdge;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.protocol.audit.Verify;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the events that have a position into the log, right behind the sequencer and in its thread, under its seat. What it
 * signs is the tree that it has built itself since it began; only at the beginning it takes the store's, after the guard
 * has accepted it. When the guard does not, positions are given all the same.
 */
final class LogWriter {
    private static final Logger log = LoggerFactory.getLogger(LogWriter.class);
    private static final int LEAVES_MAX = 2_000;

    private final AuditTables tables;
    private final CheckpointGuard guard;
    private Optional<Growing> growing = Optional.empty();
    private String refused = "";

    LogWriter(AuditTables tables, CheckpointGuard guard) {
        this.tables = tables;
        this.guard = guard;
    }

    /** The tree as it is in memory, and the size that the store has. */
    private record Growing(TreeEdge edge, long stored) {}

    /** What remains to be put into the log. */
    enum Behind {
        NOTHING,
        MORE,
        /** Another sequencer has taken over. */
        FENCED_OFF
    }

    /** Forgets what it knows of the store. */
    void restart() {
        growing = Optional.empty();
    }

    /**
     * Puts some events into the log.
     *
     * @param seat the seat after the batch
     * @param batch what was written last, which need not be read again
     */
    Behind follow(Seat seat, AuditBatch batch) {
        try {
            if (growing.isEmpty()) {
                growing = Optional.of(begin(seat));
            }
            Behind behind = grow(seat, batch, growing.get());
            if (behind == Behind.FENCED_OFF) {
                restart();
            }
            return behind;
        } catch (TreeDamaged damaged) {
            restart();
            if (!refused.equals(damaged.getMessage())) {
                refused = String.valueOf(damaged.getMessage());
                log.error("The log of all events stands still: {}", refused);
            }
            return Behind.NOTHING;
        }
    }

    private Growing begin(Seat seat) {
        LogHead head = tables.log();
        if (guard.examine(head, tables::tile) == CheckpointGuard.Standing.NEW_LOG) {
            log.warn("A new log begins with the first event: its key has another name than the last checkpoint's.");
            return new Growing(new TreeEdge(), head.size());
        }
        TreeEdge edge = TreeEdge.of(head.size(), tables::tile);
        String checkpoint = guard.sign(edge.size(), edge.root());
        if (!checkpoint.isEmpty() && !checkpoint.equals(head.checkpoint())) {
            tables.grow(seat, new LogGrowth(head.size(), head.size(), List.of(), checkpoint));
        }
        return new Growing(edge, head.size());
    }

    private Behind grow(Seat seat, AuditBatch batch, Growing now) {
        TreeEdge edge = now.edge();
        if (edge.size() == seat.size()) {
            return Behind.NOTHING;
        }
        if (edge.size() > seat.size()) {
            throw new TreeDamaged(
                    "The log has " + edge.size() + " events, and only " + seat.size() + " have a position.");
        }
        List<Tile> tiles = edge.append(leaves(seat, batch, edge.size()));
        LogGrowth growth = new LogGrowth(now.stored(), edge.size(), tiles, guard.sign(edge.size(), edge.root()));
        if (tables.grow(seat, growth) == Written.FENCED_OFF) {
            return Behind.FENCED_OFF;
        }
        growing = Optional.of(new Growing(edge, edge.size()));
        return edge.size() == seat.size() ? Behind.NOTHING : Behind.MORE;
    }

    private List<byte[]> leaves(Seat seat, AuditBatch batch, long from) {
        if (batch.first() == from && !batch.entries().isEmpty()) {
            return batch.entries().stream().map(LogWriter::leafHash).toList();
        }
        Window window = tables.windows(AuditFilter.ALL, new Window(from, seat.size()), AuditOrder.OLDEST)
                .get(0);
        List<AuditEntry> entries = tables.entries(AuditFilter.ALL, window, AuditOrder.OLDEST, LEAVES_MAX);
        List<byte[]> leaves = new ArrayList<>();
        for (AuditEntry entry : entries) {
            addKept(leaves, from, entry.position());
            leaves.add(leafHash(entry));
        }
        if (entries.size() < LEAVES_MAX) {
            addKept(leaves, from, window.to());
        }
        long end = from + leaves.size();
        long whole = end - end % Tile.WIDTH - from;
        // A tile is written over as a whole, and the hashes behind this step may be in no other place.
        return end == seat.size() || whole <= 0 ? leaves : leaves.subList(0, (int) whole);
    }

    /** Where events were deleted, a log that begins anew takes what the one before it had: the check asks for the acts. */
    private void addKept(List<byte[]> leaves, long from, long to) {
        while (from + leaves.size() < to) {
            long at = from + leaves.size();
            int first = (int) (at % Tile.WIDTH);
            int width = (int) Math.min(Tile.WIDTH, first + to - at);
            byte[] tile = kept(at, width);
            for (int i = first; i < width; i++) {
                leaves.add(Arrays.copyOfRange(tile, i * Tile.HASH_BYTES, (i + 1) * Tile.HASH_BYTES));
            }
        }
    }

    private byte[] kept(long position, int width) {
        try {
            return tables.tile(0, position / Tile.WIDTH, width);
        } catch (TreeDamaged none) {
            throw new TreeDamaged("The event at position " + position + " is gone.");
        }
    }

    /** The hash of an event's leaf, of its content and not of the hash that it says it has. */
    static byte[] leafHash(AuditEntry entry) {
        return Verify.leafHash(Verify.leaf(entry.run().value(), entry.seq(), hash(entry.entry())));
    }

    private static byte[] hash(JournalEntry entry) {
        return Verify.eventHash(
                entry.previousHash().toByteArray(),
                entry.type(),
                entry.version(),
                entry.payload().toByteArray());
    }
}
