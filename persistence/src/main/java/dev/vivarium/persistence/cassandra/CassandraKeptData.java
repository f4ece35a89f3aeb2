package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.SubmissionTime;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What is kept of runs: all partitions, page by page. */
final class CassandraKeptData implements KeptData {
    private static final int ROWS_A_PAGE = 500;

    private static final String OUTPUT = "SELECT DISTINCT run_id, part, part_end FROM run_output";
    private static final String ARTIFACTS = "SELECT DISTINCT run_id FROM blob_of_run";
    private static final String HAS_ARTIFACTS = "SELECT run_id FROM blob_of_run WHERE run_id = ? LIMIT 1";
    private static final String DELETE_PART = "DELETE FROM run_output USING TIMESTAMP ? WHERE run_id = ? AND part = ?";
    private static final String MARK_DELETED =
            "UPDATE run_output USING TIMESTAMP ? SET attempt_last = ? WHERE run_id = ? AND part = ?";

    private final Cassandra cassandra;
    private final CassandraBlobs blobs;
    private final Clock clock;
    private final DeletionTurns turns;

    CassandraKeptData(Cassandra cassandra, CassandraBlobs blobs, Clock clock) {
        this.cassandra = cassandra;
        this.blobs = blobs;
        this.clock = clock;
        this.turns = new DeletionTurns(cassandra, this::carryOut);
    }

    @Override
    public void forEach(Kind kind, Instant submittedBefore, Consumer<RunId> visit) {
        switch (kind) {
            case OUTPUT -> forEach(OUTPUT, row -> {
                RunId run = new RunId(String.valueOf(row.getString(0)));
                if (row.getLong(1) == 0
                        && !row.isNull(2)
                        && SubmissionTime.of(run).isBefore(submittedBefore)) {
                    visit.accept(run);
                }
            });
            case ARTIFACTS -> forEach(ARTIFACTS, row -> BlobHolder.run(String.valueOf(row.getString(0)))
                    .filter(run -> BlobHolder.recorded(run).name().equals(row.getString(0)))
                    .filter(run -> SubmissionTime.of(run).isBefore(submittedBefore))
                    .ifPresent(visit));
        }
    }

    private void forEach(String cql, Consumer<Row> visit) {
        AsyncResultSet page = Cassandra.await(cassandra.page("look for what is kept of runs", ROWS_A_PAGE, cql));
        page.currentPage().forEach(visit);
        while (page.hasMorePages()) {
            page = Cassandra.await(page.fetchNextPage());
            page.currentPage().forEach(visit);
        }
    }

    @Override
    public boolean has(Kind kind, RunId run) {
        return switch (kind) {
            case OUTPUT -> tail(run, 0).end() != null;
            case ARTIFACTS -> !Cassandra.await(cassandra.rows(
                            "look for the artifacts of run " + run,
                            HAS_ARTIFACTS,
                            BlobHolder.recorded(run).name()))
                    .isEmpty();
        };
    }

    @Override
    public boolean isInUse(Tenant tenant, Digest digest) {
        return new CassandraBlobLeftovers(cassandra, blobs).isHeld(new BlobKey(tenant.name(), digest));
    }

    @Override
    public boolean deleteContent(Tenant tenant, Digest digest) {
        return new CassandraBlobLeftovers(cassandra, blobs)
                .removeIfIdle(new BlobKey(tenant.name(), digest), BlobHolder.FOR_EVER);
    }

    @Override
    public Deletion delete(Kind kind, Tenant tenant, RunId run) {
        return turns.delete(tenant, new DeletionTurns.Deleting(kind, run));
    }

    /** Where deletions and holds take turns. */
    DeletionTurns turns() {
        return turns;
    }

    private boolean carryOut(DeletionTurns.Deleting deleting) {
        RunId run = deleting.run();
        return switch (deleting.kind()) {
            case OUTPUT -> deleteOutput(run);
            case ARTIFACTS -> Cassandra.await(blobs.release(BlobHolder.recorded(run)));
        };
    }

    /**
     * All parts at once, so that no reader takes what is left for the whole. The first one says from then on that it was
     * deleted, which a repetition does not change.
     */
    private boolean deleteOutput(RunId run) {
        if (tail(run, 0).end() == null) {
            return false;
        }
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
        List<Cql> deletions = parts(run, now);
        deletions.add(new Cql(MARK_DELETED, now + 1, OutputStore.DELETED, run.value(), 0L));
        Cassandra.await(cassandra.logged("delete the output of run " + run, deletions));
        return true;
    }

    private List<Cql> parts(RunId run, long timestamp) {
        List<Cql> deletions = new ArrayList<>();
        long part = 0;
        OutputTail tail;
        do {
            tail = tail(run, part);
            deletions.add(new Cql(DELETE_PART, timestamp, run.value(), part++));
        } while (tail.state() == OutputTail.State.CLOSED);
        return deletions;
    }

    private OutputTail tail(RunId run, long part) {
        List<Row> rows = Cassandra.await(
                cassandra.settledRows("delete the output of run " + run, OutputTail.QUERY, run.value(), part));
        return rows.isEmpty() ? OutputTail.EMPTY : OutputTail.of(rows.get(0));
    }

    @Override
    public Optional<Map<Tenant, Size>> sizes(BooleanSupplier goOn) {
        return new CassandraKeptSizes(cassandra).measure(goOn);
    }
}
