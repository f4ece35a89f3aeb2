package dev.vivarium.persistence.cassandra;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.cassandra.ChangedRuns.Changed;
import dev.vivarium.persistence.cassandra.ChangedRuns.Lane;
import dev.vivarium.persistence.follow.Change;
import dev.vivarium.persistence.follow.JournalFeed;
import dev.vivarium.persistence.follow.Row;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.follow.Step;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A feed of a journal without a total order: it follows the changed runs, each with its own offset, which is the number
 * of the last entry in its row. The offset is therefore as durable as the row, every step can be repeated by any node,
 * and two followers can work on one run: rows use the number as their write timestamp, so that an older row never
 * overwrites a newer one.
 *
 * <p>There are three sources of changes ({@link ChangedRuns}), since those in memory die with the node. The node that
 * persists an entry passes it on, so that the row changes within milliseconds and without a read. A node that recovers
 * a run, after a failover or a restart, compares its row with the journal, which covers a crash between an entry and
 * its row. And runs that no node recovers any more are found by {@link LiveRunSweep}: every run is listed as live
 * before its first entry counts, until its last entry is in its row.
 *
 * <p>Rejected: eventsByTag, whose delay is seconds where a list should be right within one, and whose tags cost a third
 * of the write rate; and a scan of all journals, which grows without bound.
 */
final class CassandraRunFeed implements JournalFeed<RunView> {
    private static final Logger log = LoggerFactory.getLogger(CassandraRunFeed.class);

    /** Runs per batch, all processed concurrently. */
    private static final int CONCURRENCY = 64;

    /** The most recovered and swept runs among them: they are not urgent, and many after a failover. */
    private static final int LATER_CONCURRENCY = 4;

    /** Bounds the cached rows, including overhead. */
    static final long CACHE_BYTES_MAX = 32L * 1024 * 1024;

    private static final int OVERHEAD_BYTES = 1_024;

    private static final String UNREADABLE = "SELECT run_id FROM run_unreadable";
    private static final String MARK = "INSERT INTO run_unreadable (run_id, reason) VALUES (?, ?)";
    private static final String UNMARK = "DELETE FROM run_unreadable WHERE run_id = ?";

    private final Cassandra cassandra;
    private final CassandraRunJournal journal;
    private final RunIndexTables tables;
    private final ChangedRuns changed;
    private final Clock clock;

    /** Rows of live runs that this node wrote recently. Only a cache: other rows are read from their table. */
    private final Cache<RunId, Known> known = Caffeine.newBuilder()
            .maximumWeight(CACHE_BYTES_MAX)
            .weigher((RunId run, Known one) -> OVERHEAD_BYTES + one.bytes())
            .executor(Runnable::run)
            .build();

    private record Known(Row<RunView> row, int bytes) {}

    CassandraRunFeed(
            Cassandra cassandra, CassandraRunJournal journal, RunIndexTables tables, ChangedRuns changed, Clock clock) {
        this.cassandra = cassandra;
        this.journal = journal;
        this.tables = tables;
        this.changed = changed;
        this.clock = clock;
    }

    /** Nothing to do: rows of another version are ignored, and {@link LiveRunSweep} walks all runs then. */
    @Override
    public void prepare() {}

    @Override
    public void onNews(Runnable wake) {
        changed.onNews(wake);
    }

    @Override
    public Batch<RunView> next() {
        Instant started = clock.instant();
        ChangedRuns.Taken taken = changed.take(CONCURRENCY, LATER_CONCURRENCY);
        return batch(taken.runs(), Optional.of(taken.oldestLeft().orElse(started)));
    }

    @Override
    public Batch<RunView> look(Collection<RunId> runs) {
        Instant now = clock.instant();
        return batch(
                runs.stream()
                        .map(run -> new Changed(run, Lane.LATER, now, List.of()))
                        .toList(),
                Optional.empty());
    }

    private Batch<RunView> batch(List<Changed> runs, Optional<Instant> completeAsOf) {
        List<CompletionStage<Change<RunView>>> changes = new ArrayList<>();
        runs.forEach(run -> changes.add(row(run).thenApply(row -> new Change<>(run.run(), row, run.entries()))));
        return new Changes(Cassandra.await(Cassandra.all(changes)), completeAsOf);
    }

    /**
     * Trusts the cache for runs that this node wrote; for runs that another node may have advanced, reads the table.
     */
    private CompletionStage<Optional<Row<RunView>>> row(Changed run) {
        if (run.lane() == Lane.URGENT) {
            Known own = known.getIfPresent(run.run());
            if (own != null) {
                return CompletableFuture.completedFuture(Optional.of(own.row()));
            }
            if (!run.entries().isEmpty() && run.entries().get(0).seq() == 1) {
                return CompletableFuture.completedFuture(Optional.empty());
            }
        }
        return tables.row(run.run()).exceptionally(failed -> {
            if (StageFailure.cause(failed) instanceof StoreUnavailable away) {
                throw away;
            }
            log.warn(
                    "Rebuilding the row of run {} from the journal: {}",
                    run.run(),
                    StageFailure.cause(failed).getMessage());
            return Optional.empty();
        });
    }

    @Override
    public CompletionStage<List<StoredEntry>> entries(RunId run, long fromSeq) {
        return journal.entries(run, fromSeq);
    }

    @Override
    public Set<RunId> unreadable() {
        return Cassandra.await(cassandra.rows("list the unreadable runs", UNREADABLE)).stream()
                .map(row -> new RunId(String.valueOf(row.getString(0))))
                .collect(Collectors.toSet());
    }

    /** Each run separately: the row is the offset, so an interrupted step is simply repeated. */
    private Written write(List<Step<RunView>> steps, Set<RunId> readableAgain) {
        List<CompletionStage<Done>> writes = new ArrayList<>();
        for (Step<RunView> step : steps) {
            CompletionStage<Done> recorded = readableAgain.contains(step.run())
                    ? cassandra.write(
                            "list run " + step.run(), UNMARK, step.run().value())
                    : CompletableFuture.completedFuture(Done.getInstance());
            writes.add(recorded.thenCompose(done -> write(step)).thenApply(done -> {
                changed.done(List.of(step.run()));
                return done;
            }));
        }
        Cassandra.await(Cassandra.all(writes));
        return Written.DONE;
    }

    private CompletionStage<Done> write(Step<RunView> step) {
        CompletionStage<Done> written = step.row()
                .filter(row -> isDue(step, row))
                .map(this::write)
                .orElseGet(() -> CompletableFuture.completedFuture(Done.getInstance()));
        return step instanceof Step.Unreadable<RunView> stuck
                ? written.thenCompose(done -> cassandra.write(
                        "list run " + stuck.run(), MARK, stuck.run().value(), stuck.reason()))
                : written;
    }

    /** An ended run is written once more, since the writes that follow its row may have been interrupted. */
    private static boolean isDue(Step<RunView> step, Row<RunView> row) {
        return !(step instanceof Step.Unchanged) || row.content().status().isTerminal();
    }

    private CompletionStage<Done> write(Row<RunView> row) {
        String json = RunList.write(row.content());
        return tables.write(row, json).thenApply(done -> {
            if (row.content().status().isTerminal()) {
                known.invalidate(row.content().id());
            } else {
                known.put(row.content().id(), new Known(row, json.length()));
            }
            return done;
        });
    }

    /** The taken runs with their rows. */
    private final class Changes implements Batch<RunView> {
        private final List<Change<RunView>> changes;
        private final Optional<Instant> completeAsOf;

        Changes(List<Change<RunView>> changes, Optional<Instant> completeAsOf) {
            this.changes = changes;
            this.completeAsOf = completeAsOf;
        }

        @Override
        public List<Change<RunView>> changes() {
            return changes;
        }

        @Override
        public Rest rest() {
            return changed.isEmpty() ? Rest.NOTHING_YET : Rest.MORE;
        }

        @Override
        public Optional<Instant> completeAsOf() {
            return completeAsOf;
        }

        @Override
        public Written write(List<Step<RunView>> steps, Set<RunId> readableAgain) {
            return CassandraRunFeed.this.write(steps, readableAgain);
        }
    }
}
