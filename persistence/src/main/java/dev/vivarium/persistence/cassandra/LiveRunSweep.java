package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.vivarium.persistence.cassandra.RunIndexTables.Place;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Slowly rechecks every run listed as live, and removes those that never became runs. A run whose last entry was
 * committed by a node that then died is thus listed as ended, although no node recovers it any more. When all rows are
 * of another version of the list, rechecks every run once.
 */
final class LiveRunSweep implements Sweep {
    /** Stops adding runs while so many wait. */
    private static final int WAITING_MAX = 1_000;

    /** A run announced this long ago without an event never gets one: its submission failed. */
    static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    /** An hour this old gets no new runs, whatever the clock skew. */
    private static final long CLOSED_BUCKETS = 24;

    private final CassandraRunJournal journal;
    private final RunIndexTables tables;
    private final ChangedRuns changed;
    private final String projection;
    private final Clock clock;

    LiveRunSweep(
            CassandraRunJournal journal, RunIndexTables tables, ChangedRuns changed, String projection, Clock clock) {
        this.journal = journal;
        this.tables = tables;
        this.changed = changed;
        this.projection = projection;
        this.clock = clock;
    }

    @Override
    public String what() {
        return "The live runs";
    }

    @Override
    public void sweep(BooleanSupplier goOn) throws InterruptedException {
        Instant now = clock.instant();
        long current = RunIndexTables.bucketOf(RunIndexTables.micros(now));
        for (long bucket : Cassandra.await(tables.buckets(RunIndexTables.LIVE, 0, Long.MAX_VALUE))) {
            List<Place> live = Cassandra.await(tables.live(bucket));
            for (Place place : live) {
                changed.awaitAtMost(WAITING_MAX, goOn);
                if (!goOn.getAsBoolean()) {
                    return;
                }
                look(place, now);
            }
            if (live.isEmpty() && bucket < current - CLOSED_BUCKETS) {
                Cassandra.await(tables.forgetLiveBucket(bucket));
            }
        }
        if (Cassandra.await(tables.isOfOtherVersion(projection))) {
            lookAtAll(goOn);
        }
    }

    private void look(Place place, Instant now) {
        RunId run = new RunId(place.run());
        if (isAbandoned(run, place, now)) {
            Cassandra.await(tables.forgetLive(place));
        } else {
            changed.recovered(run);
        }
    }

    private boolean isAbandoned(RunId run, Place place, Instant now) {
        return RunIndexTables.micros(now.minus(SUBMISSION_MAX)) > place.submittedMicros()
                && Cassandra.await(tables.view(run.value())).isEmpty()
                && Cassandra.await(journal.entries(run, 1)).isEmpty();
    }

    /** Rechecks every run ever announced; the version is recorded only when all have been checked. */
    private void lookAtAll(BooleanSupplier goOn) throws InterruptedException {
        for (long bucket : Cassandra.await(tables.buckets(RunIndexTables.TIME, 0, Long.MAX_VALUE))) {
            AsyncResultSet page = Cassandra.await(tables.runs(RunIndexTables.TIME, bucket));
            while (true) {
                changed.awaitAtMost(WAITING_MAX, goOn);
                page.currentPage().forEach(row -> changed.recovered(new RunId(String.valueOf(row.getString(0)))));
                if (!page.hasMorePages() || !goOn.getAsBoolean()) {
                    break;
                }
                page = Cassandra.await(page.fetchNextPage());
            }
        }
        changed.awaitAtMost(0, goOn);
        if (goOn.getAsBoolean()) {
            Cassandra.await(tables.completed(projection));
        }
    }
}
