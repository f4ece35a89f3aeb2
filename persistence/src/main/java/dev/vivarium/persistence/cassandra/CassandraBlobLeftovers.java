package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.content.BlobLeftovers;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** What the sweep of blobs inspects: all partitions, page by page. */
final class CassandraBlobLeftovers implements BlobLeftovers {
    private static final String HOLDERS = "SELECT run_id, held_at FROM blob_of_run PER PARTITION LIMIT 1";
    private static final String BLOBS = "SELECT tenant, digest, content, touched_at FROM blob PER PARTITION LIMIT 1";
    private static final String UPLOADS = "SELECT tenant, digest, upload, heard_at FROM blob";
    private static final String HOLD = "SELECT run_id FROM blob_hold WHERE tenant = ? AND digest = ? LIMIT 1";
    private static final String CONDEMN = "UPDATE blob SET condemned = ? WHERE tenant = ? AND digest = ?"
            + " IF content = ? AND touched_at = ? AND condemned = ?";
    private static final String PARDON =
            "UPDATE blob SET condemned = null WHERE tenant = ? AND digest = ? IF condemned = ?";
    private static final String REMOVE = "UPDATE blob SET bytes = null, content = null, touched_at = null,"
            + " condemned = null WHERE tenant = ? AND digest = ? IF condemned = ?";
    private static final String LEAVE_PIECES =
            "INSERT INTO blob (tenant, digest, upload, heard_at, parts) VALUES (?, ?, ?, 0, ?)";

    private static final int ROWS_A_PAGE = 200;

    private final Cassandra cassandra;
    private final CassandraBlobs blobs;

    CassandraBlobLeftovers(Cassandra cassandra, CassandraBlobs blobs) {
        this.cassandra = cassandra;
        this.blobs = blobs;
    }

    @Override
    public void forEachHolder(Instant heldBefore, Consumer<RunId> visit) {
        forEach(HOLDERS, row -> {
            if (row.getLong(1) < heldBefore.toEpochMilli()) {
                visit.accept(new RunId(text(row, 0)));
            }
        });
    }

    @Override
    public void forEachIdle(Instant touchedBefore, Consumer<BlobKey> visit) {
        forEach(BLOBS, row -> {
            if (!row.isNull(2) && row.getLong(3) < touchedBefore.toEpochMilli() && !isHeld(key(row))) {
                visit.accept(key(row));
            }
        });
    }

    @Override
    public void forEachStale(Instant heardBefore, Consumer<BlobTables.Upload> visit) {
        forEach(UPLOADS, row -> {
            if (!row.isNull(2) && row.getLong(3) < heardBefore.toEpochMilli()) {
                visit.accept(new BlobTables.Upload(key(row), Objects.requireNonNull(row.getUuid(2))));
            }
        });
    }

    private void forEach(String cql, Consumer<Row> visit) {
        AsyncResultSet page = Cassandra.await(cassandra.page("sweep its blobs", ROWS_A_PAGE, cql));
        page.currentPage().forEach(visit);
        while (page.hasMorePages()) {
            page = Cassandra.await(page.fetchNextPage());
            page.currentPage().forEach(visit);
        }
    }

    private static BlobKey key(Row row) {
        return new BlobKey(text(row, 0), Digest.parse(text(row, 1)));
    }

    private static String text(Row row, int column) {
        return String.valueOf(row.getString(column));
    }

    /** Whether a run has a content. */
    boolean isHeld(BlobKey key) {
        return !Cassandra.await(cassandra.rows(
                        "look for runs with a content",
                        HOLD,
                        key.tenant(),
                        key.digest().hex()))
                .isEmpty();
    }

    @Override
    public boolean removeIfIdle(BlobKey key, Instant touchedBefore) {
        Optional<CassandraBlobs.Entry> entry = Cassandra.await(blobs.settled(key));
        if (entry.isEmpty() || entry.get().touchedAt() >= touchedBefore.toEpochMilli()) {
            return false;
        }
        CassandraBlobs.Entry seen = entry.get();
        UUID sweep = UUID.randomUUID();
        String tenant = key.tenant();
        String digest = key.digest().hex();
        boolean condemned =
                isApplied(new Cql(CONDEMN, sweep, tenant, digest, seen.content(), seen.touchedAt(), seen.condemned()));
        if (condemned && isHeld(key)) {
            isApplied(new Cql(PARDON, tenant, digest, sweep));
            return false;
        }
        return condemned
                && isApplied(
                        new Cql(REMOVE, tenant, digest, sweep),
                        new Cql(LEAVE_PIECES, tenant, digest, seen.content(), CassandraBlobs.partCount(seen.bytes())));
    }

    private boolean isApplied(Cql... statements) {
        return Cassandra.await(cassandra.ifSo("remove a blob", List.of(statements)))
                .isApplied();
    }
}
