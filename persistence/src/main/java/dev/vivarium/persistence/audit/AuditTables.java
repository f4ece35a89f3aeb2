package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.LogGrowth;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/**
 * The part of a store that keeps the order over all runs. All operations block, and fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store does not answer. The first group is for the one
 * sequencer, the second for readers on any node.
 */
public interface AuditTables {
    /**
     * Makes the caller the only sequencer: whatever an earlier one writes from now on is refused. A batch that an earlier
     * one had decided on and not finished is finished first.
     */
    Seat takeOver();

    /**
     * The next events that may lack a position: each run's in order, and none before an event of the same run that still
     * lacks one.
     *
     * @param facts what is known of runs
     */
    News next(Function<Set<RunId>, Map<RunId, RunFacts>> facts);

    /** What is stored about these runs; none for a run without a position. */
    Map<RunId, RunFacts> facts(Collection<RunId> runs);

    /** The stored totals; none for a tally that was never counted. */
    Map<Tally, Long> totals(Collection<Tally> tallies);

    /** The stored times of a block. */
    Optional<Block> block(long number);

    /** How far the order reaches, and how far it is behind the journal. */
    AuditHead head();

    /** The parts of a range of positions that may hold matching events, in the given order. */
    List<Window> windows(AuditFilter filter, Window range, AuditOrder order);

    /** The first matching events of a window, in the given order. */
    List<AuditEntry> entries(AuditFilter filter, Window window, AuditOrder order, int limit);

    /** The range of positions outside of which nothing happened in that time; empty when nothing did at all. */
    Optional<Window> positions(Optional<Instant> since, Optional<Instant> until);

    /** Totals of a measure whose periods begin within a time, by period, tenant and key. */
    List<Tally.Count> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until);

    /** How far the log reaches. */
    LogHead log();

    /**
     * Writes a step of the log, all or nothing.
     *
     * @return whether the seat was still the caller's and the log had the expected size
     */
    Written grow(Seat seat, LogGrowth growth);

    /**
     * The hashes of a tile with at least so many of them.
     *
     * @throws dev.vivarium.persistence.audit.tlog.TreeDamaged when there is no such tile
     */
    byte[] tile(int level, long index, int width);

    /** A run's entries as the journal has them, in order, readable or not. */
    List<StoredEntry> journal(RunId run);

    /**
     * Looks for entries that somebody has put into the journal where the sequencer had passed already. Nothing is found in
     * a store whose journal is not in an order.
     *
     * @param after the place in the journal after which to look; 0 for its beginning
     */
    default Passed passed(long after) {
        return new Passed(List.of(), 0, OptionalLong.empty());
    }

    /** Runs that may have events without a position, as other nodes tell; a store that finds them itself ignores it. */
    default void changed(Collection<RunId> runs) {}

    /** Registers a callback for runs that this node has written to; a store whose sequencer finds them itself never calls. */
    default void onNews(java.util.function.Consumer<RunId> news) {}

    /** Says from time to time that the sequencer lives, and how far it is behind what it knows. */
    default void beat(Seat seat, Duration behind) {}

    /**
     * The right to write positions.
     *
     * @param epoch higher than that of every earlier sequencer
     * @param size the first position without an event
     */
    record Seat(long epoch, long size) {
        Seat after(AuditBatch batch) {
            return new Seat(epoch, batch.end());
        }
    }

    /**
     * Positions.
     *
     * @param from the first one
     * @param to the one after the last
     */
    record Window(long from, long to) {
        /** The positions in both; may be empty. */
        public Window and(Window other) {
            long first = Math.max(from, other.from);
            return new Window(first, Math.max(first, Math.min(to, other.to)));
        }

        /** Whether no position is in it. */
        public boolean isEmpty() {
            return from >= to;
        }
    }

    /** Events that may lack a position. */
    interface News {
        /** The events; those that have a position already are among them. */
        List<Item> items();

        /** Whether to read on immediately. */
        Rest rest();

        /**
         * Writes their positions, all or none.
         *
         * @param batch may be empty
         * @return whether the seat was still the caller's
         */
        Written write(Seat seat, AuditBatch batch);
    }

    /** An event of the journal; one that is damaged beyond reading has no entry. */
    record Item(RunId run, long seq, Optional<JournalEntry> entry) {}

    /**
     * Entries of the journal that the sequencer has passed.
     *
     * @param without those that have no position
     * @param looked how many were looked at
     * @param next the place after which to go on; empty at the journal's end
     */
    record Passed(List<Item> without, int looked, OptionalLong next) {
        public Passed {
            without = List.copyOf(without);
        }
    }

    /** What remains after some news. */
    enum Rest {
        MORE,
        NOTHING_YET
    }

    /** The outcome of writing positions. */
    enum Written {
        DONE,
        /** Another sequencer has taken over; nothing was written. */
        FENCED_OFF
    }
}
