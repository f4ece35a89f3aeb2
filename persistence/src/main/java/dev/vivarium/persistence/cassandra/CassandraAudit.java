package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.audit.AuditBatch;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.audit.Block;
import dev.vivarium.persistence.audit.RunFacts;
import dev.vivarium.persistence.audit.Tally;
import dev.vivarium.persistence.audit.tlog.LogGrowth;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.Tile;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.cassandra.RunIndexTables.Place;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order over all runs on Cassandra, which has no transaction over several tables. So a batch is first written as a
 * whole under its epoch, where nobody reads it; then one lightweight transaction on the seat decides on it, which only
 * the last epoch can win; then its rows are written, which are the same however often that is done; and then the seat
 * says that readers may look at them. A sequencer that dies in between leaves a batch that was decided on or one that was
 * not: the next one finishes the first kind and never sees the other. Rows carry the position as their write timestamp,
 * so what a sequencer that was frozen writes late changes nothing either.
 */
final class CassandraAudit implements AuditTables {
    private static final Logger log = LoggerFactory.getLogger(CassandraAudit.class);

    /** Runs that are read at the same time, and about how many events and bytes of them become a batch. */
    private static final int RUNS_MAX = 64;

    private static final int ENTRIES_MAX = 500;
    private static final long BYTES_MAX = 2L << 20;

    /** A run announced this long ago without an event never gets one. */
    private static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    private static final int TAKE_OVERS_MAX = 10;

    private static final String SEAT = "SELECT epoch, size, shown, batch_epoch FROM audit_head WHERE id = 'vivarium'";
    private static final String FIRST_SEAT = "INSERT INTO audit_head (id, epoch, size, shown, batch_epoch,"
            + " tree_size) VALUES ('vivarium', 1, 0, 0, 0, 0) IF NOT EXISTS";
    private static final String NEXT_EPOCH = "UPDATE audit_head SET epoch = ? WHERE id = 'vivarium' IF epoch = ?";
    private static final String DECIDE = "UPDATE audit_head SET size = ?, batch_epoch = ? WHERE id = 'vivarium'"
            + " IF epoch = ? AND size = ? AND shown = ?";
    private static final String SHOW = "UPDATE audit_head SET shown = ? WHERE id = 'vivarium' IF epoch = ?";

    private static final String OFFER = "INSERT INTO audit_batch (epoch, first, content) VALUES (?, ?, ?)";
    private static final String OFFERED = "SELECT content FROM audit_batch WHERE epoch = ? AND first = ?";
    private static final String DONE = "DELETE FROM audit_batch WHERE epoch = ? AND first = ?";

    private static final String SHOWN = "SELECT shown FROM audit_head WHERE id = 'vivarium'";
    private static final String BEAT =
            "INSERT INTO audit_beat (id, at, behind) VALUES ('vivarium', toTimestamp(now()), ?)";
    private static final String LAST_BEAT =
            "SELECT at, toTimestamp(now()), behind FROM audit_beat WHERE id = 'vivarium'";

    private static final String LOG = "SELECT tree_size, checkpoint FROM audit_head WHERE id = 'vivarium'";
    private static final String FIRST_LOG =
            "UPDATE audit_head SET tree_size = 0 WHERE id = 'vivarium' IF epoch = ? AND tree_size = null";
    private static final String GROW =
            "UPDATE audit_head SET tree_size = ? WHERE id = 'vivarium' IF epoch = ? AND tree_size = ?";
    private static final String GROW_SIGNED =
            "UPDATE audit_head SET tree_size = ?, checkpoint = ? WHERE id = 'vivarium' IF epoch = ? AND tree_size = ?";
    private static final String TILE =
            "INSERT INTO audit_tile (level, number, hashes) VALUES (?, ?, ?) USING TIMESTAMP ?";
    private static final String HASHES = "SELECT hashes FROM audit_tile WHERE level = ? AND number = ?";
    /** A log of more than a million million events would be needed to reach the next epoch's timestamps. */
    private static final int EPOCH_SHIFT = 40;

    private final Cassandra cassandra;
    private final CassandraRunJournal journal;
    private final RunIndexTables runs;
    private final AuditRows rows;
    private final PendingRuns pending;
    private final Clock clock;
    /** Runs whose events are being given positions; confined to the sequencer's thread. */
    private List<RunId> inHand = List.of();

    private volatile Consumer<RunId> news = run -> {};

    CassandraAudit(
            Cassandra cassandra, CassandraRunJournal journal, RunIndexTables runs, Clock clock, Clock monotonic) {
        this.cassandra = cassandra;
        this.journal = journal;
        this.runs = runs;
        this.rows = new AuditRows(cassandra);
        this.pending = new PendingRuns(runs, monotonic);
        this.clock = clock;
    }

    // ---- what nodes tell

    /** This node has, or may have, committed entries of a run. */
    void written(RunId run) {
        news.accept(run);
    }

    @Override
    public void onNews(Consumer<RunId> call) {
        news = call;
    }

    @Override
    public void changed(Collection<RunId> changed) {
        pending.add(changed);
    }

    // ---- the sequencer

    /** The row of the seat. */
    private record Head(long epoch, long size, long shown, long batchEpoch) {}

    private Optional<Head> seat() {
        return Cassandra.await(cassandra.settledRows("read the order of events", SEAT)).stream()
                .findFirst()
                .map(row -> new Head(row.getLong(0), row.getLong(1), row.getLong(2), row.getLong(3)));
    }

    private boolean change(String cql, Object... values) {
        return Cassandra.await(cassandra.ifSo("write the order of events", List.of(new Cql(cql, values))))
                .isApplied();
    }

    @Override
    public Seat takeOver() {
        long epoch = nextEpoch();
        Head head = seat().orElseThrow(() -> new StoreUnavailable("The store has lost the seat of the sequencer."));
        if (head.size() > head.shown()) {
            AuditBatch batch = offered(head.batchEpoch(), head.shown());
            rows.write(batch);
            if (!change(SHOW, head.size(), epoch)) {
                throw new StoreUnavailable("Another sequencer has taken over.");
            }
            Cassandra.await(cassandra.write("write the order of events", DONE, head.batchEpoch(), head.shown()));
        }
        // A seat from before there was a log has no size of one.
        change(FIRST_LOG, epoch);
        pending.restart();
        inHand = List.of();
        return new Seat(epoch, head.size());
    }

    private long nextEpoch() {
        for (int tried = 0; tried < TAKE_OVERS_MAX; tried++) {
            Optional<Head> head = seat();
            if (head.isEmpty() && change(FIRST_SEAT)) {
                return 1;
            }
            if (head.isPresent()
                    && change(NEXT_EPOCH, head.get().epoch() + 1, head.get().epoch())) {
                return head.get().epoch() + 1;
            }
        }
        throw new StoreUnavailable("Other sequencers take over all the time.");
    }

    private AuditBatch offered(long epoch, long first) {
        Row row = Cassandra.await(cassandra.rows("read the order of events", OFFERED, epoch, first)).stream()
                .findFirst()
                .orElseThrow(() -> new StoreUnavailable("The store has lost the batch of events at position " + first
                        + " that the sequencer of epoch " + epoch + " decided on: restore the table audit_batch."));
        try {
            return JournalJson.MAPPER.readValue(
                    CassandraRunJournal.bytes(row, 0).toByteArray(), AuditBatch.class);
        } catch (IOException damaged) {
            throw new StoreUnavailable("The batch of events at position " + first + " cannot be read.", damaged);
        }
    }

    @Override
    public News next(Function<Set<RunId>, Map<RunId, RunFacts>> facts) {
        pending.add(inHand);
        List<RunId> taken = pending.take(RUNS_MAX);
        inHand = taken;
        Map<RunId, RunFacts> known = taken.isEmpty() ? Map.of() : facts.apply(new HashSet<>(taken));
        List<CompletionStage<List<StoredEntry>>> reads = new ArrayList<>();
        for (RunId run : taken) {
            reads.add(journal.chain(run, seq(known, run) + 1).exceptionally(failed -> damaged(run, failed)));
        }
        List<List<StoredEntry>> read = Cassandra.await(Cassandra.all(reads));
        List<Item> items = new ArrayList<>();
        List<RunId> cutOff = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < taken.size(); i++) {
            RunId run = taken.get(i);
            for (StoredEntry stored : read.get(i)) {
                if (!items.isEmpty() && (items.size() >= ENTRIES_MAX || bytes >= BYTES_MAX)) {
                    cutOff.add(run);
                    break;
                }
                items.add(new Item(run, stored.seq(), Optional.of(stored.entry())));
                bytes += stored.entry().payload().length();
            }
            if (read.get(i).isEmpty() && known.get(run) == null) {
                forgetIfAbandoned(run);
            }
        }
        pending.add(cutOff);
        return new TakenRuns(items, known);
    }

    private static long seq(Map<RunId, RunFacts> known, RunId run) {
        RunFacts facts = known.get(run);
        return facts == null ? 0 : facts.seq();
    }

    /** A damaged run keeps its own events from getting positions, and no others'. */
    private static List<StoredEntry> damaged(RunId run, Throwable failed) {
        Throwable cause = StageFailure.cause(failed);
        if (cause instanceof StoreUnavailable away) {
            throw away;
        }
        log.error("The events of run {} get no positions: {}", run, cause.getMessage());
        return List.of();
    }

    private void forgetIfAbandoned(RunId run) {
        pending.announced(run)
                .filter(place -> RunIndexTables.micros(clock.instant().minus(SUBMISSION_MAX)) > place.submittedMicros())
                .ifPresent(place -> Cassandra.await(runs.forgetPending(place)));
    }

    /** Events of some runs. */
    private final class TakenRuns implements News {
        private final List<Item> items;
        private final Map<RunId, RunFacts> before;

        TakenRuns(List<Item> items, Map<RunId, RunFacts> before) {
            this.items = items;
            this.before = before;
        }

        @Override
        public List<Item> items() {
            return items;
        }

        @Override
        public Rest rest() {
            return pending.rest();
        }

        @Override
        public Written write(Seat seat, AuditBatch batch) {
            if (!batch.entries().isEmpty() && !isWritten(seat, batch)) {
                return Written.FENCED_OFF;
            }
            inHand = List.of();
            Map<RunId, RunFacts> after = new HashMap<>(before);
            batch.runs().forEach(run -> after.put(run.run(), run));
            List<CompletionStage<?>> forgotten = new ArrayList<>();
            after.values().stream()
                    .filter(run -> run.phase() == RunFacts.Phase.ENDED)
                    .forEach(run -> {
                        pending.forget(run.run());
                        forgotten.add(runs.forgetPending(new Place(
                                RunIndexTables.micros(run.submittedAt()),
                                run.run().value())));
                    });
            forgotten.forEach(Cassandra::await);
            return Written.DONE;
        }
    }

    private boolean isWritten(Seat seat, AuditBatch batch) {
        Cassandra.await(cassandra.write(
                "write the order of events", OFFER, seat.epoch(), batch.first(), ByteBuffer.wrap(json(batch))));
        if (!change(DECIDE, batch.end(), seat.epoch(), seat.epoch(), batch.first(), batch.first())) {
            return false;
        }
        rows.write(batch);
        if (!change(SHOW, batch.end(), seat.epoch())) {
            return false;
        }
        Cassandra.await(cassandra.write("write the order of events", DONE, seat.epoch(), batch.first()));
        return true;
    }

    private static byte[] json(AuditBatch batch) {
        try {
            return JournalJson.MAPPER.writeValueAsBytes(batch);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A batch has a JSON form.", impossible);
        }
    }

    @Override
    public void beat(Seat seat, Duration behind) {
        Cassandra.await(cassandra.write("say that the sequencer lives", BEAT, behind.toMillis()));
    }

    @Override
    public Map<RunId, RunFacts> facts(Collection<RunId> wanted) {
        return rows.facts(wanted);
    }

    @Override
    public Map<Tally, Long> totals(Collection<Tally> tallies) {
        return rows.totals(tallies);
    }

    @Override
    public Optional<Block> block(long number) {
        return rows.blocks(number, number).stream().findFirst();
    }

    // ---- readers

    @Override
    public AuditHead head() {
        long shown = Cassandra.await(cassandra.rows("read the order of events", SHOWN)).stream()
                .findFirst()
                .map(row -> row.getLong(0))
                .orElse(0L);
        long lag = Cassandra.await(cassandra.rows("read the order of events", LAST_BEAT)).stream()
                .findFirst()
                .map(row -> row.getLong(2) + Math.max(0, millis(row, 1) - millis(row, 0)))
                .orElse(0L);
        return new AuditHead(shown, lag);
    }

    private static long millis(Row row, int column) {
        Instant at = row.getInstant(column);
        return at == null ? 0 : at.toEpochMilli();
    }

    @Override
    public LogHead log() {
        return Cassandra.await(cassandra.rows("read the log of events", LOG)).stream()
                .findFirst()
                .map(row -> new LogHead(
                        row.getLong(0), Optional.ofNullable(row.getString(1)).orElse("")))
                .orElse(new LogHead(0, ""));
    }

    /**
     * The tiles come first, and nobody looks at them before the head says so. What a sequencer writes that was frozen
     * has an older epoch, and within an epoch a tile with more hashes is newer.
     */
    @Override
    public Written grow(Seat seat, LogGrowth growth) {
        long timestamp = (seat.epoch() << EPOCH_SHIFT) + growth.size();
        Cassandra.await(Cassandra.all(growth.tiles().stream()
                .map(tile -> cassandra.write(
                        "write the log of events",
                        TILE,
                        tile.level(),
                        tile.index(),
                        ByteBuffer.wrap(tile.hashes().toByteArray()),
                        timestamp))
                .toList()));
        boolean done = growth.checkpoint().isEmpty()
                ? change(GROW, growth.size(), seat.epoch(), growth.stored())
                : change(GROW_SIGNED, growth.size(), growth.checkpoint(), seat.epoch(), growth.stored());
        return done ? Written.DONE : Written.FENCED_OFF;
    }

    @Override
    public byte[] tile(int level, long index, int width) {
        return Tile.atLeast(
                width,
                level,
                index,
                Cassandra.await(cassandra.rows("read the log of events", HASHES, level, index)).stream()
                        .findFirst()
                        .map(row -> CassandraRunJournal.bytes(row, 0).toByteArray())
                        .orElse(new byte[0]));
    }

    @Override
    public List<StoredEntry> journal(RunId run) {
        return Cassandra.await(journal.found(run));
    }

    @Override
    public List<Window> windows(AuditFilter filter, Window range, AuditOrder order) {
        return rows.windows(filter, range, order);
    }

    @Override
    public List<AuditEntry> entries(AuditFilter filter, Window window, AuditOrder order, int limit) {
        return rows.entries(filter, window, order, limit);
    }

    @Override
    public Optional<Window> positions(Optional<Instant> since, Optional<Instant> until) {
        return rows.positions(since, until);
    }

    @Override
    public List<Tally.Count> counts(Tally.Measure measure, Optional<String> tenant, Instant since, Instant until) {
        return rows.counts(measure, tenant, since, until);
    }
}
