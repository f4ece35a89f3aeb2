package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.content.BlobLeftovers;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** What the sweep of blobs inspects, page by page in key order. */
final class PostgresBlobLeftovers implements BlobLeftovers {
    private static final int PAGE = 256;

    private static final String HOLDERS =
            """
            SELECT DISTINCT run_id FROM blob_hold WHERE held_at < ? AND run_id > ? ORDER BY run_id LIMIT %d"""
                    .formatted(PAGE);
    private static final String IDLE =
            """
            SELECT tenant, digest FROM blob WHERE touched_at < ? AND (tenant, digest) > (?, ?) AND NOT EXISTS (
                SELECT 1 FROM blob_hold held WHERE held.tenant = blob.tenant AND held.digest = blob.digest)
            ORDER BY tenant, digest LIMIT %d"""
                    .formatted(PAGE);
    private static final String STALE =
            """
            SELECT content, tenant, digest FROM blob_upload WHERE heard_at < ? AND content > ?
            ORDER BY content LIMIT %d"""
                    .formatted(PAGE);
    private static final String LOCK =
            "SELECT content FROM blob WHERE tenant = ? AND digest = ? AND touched_at < ? FOR UPDATE SKIP LOCKED";
    private static final String REMOVE =
            """
            DELETE FROM blob WHERE tenant = ? AND digest = ? AND NOT EXISTS (
                SELECT 1 FROM blob_hold held WHERE held.tenant = blob.tenant AND held.digest = blob.digest)""";

    private static final UUID FIRST = new UUID(0, 0);

    private final Database database;

    PostgresBlobLeftovers(Database database) {
        this.database = database;
    }

    /** Reads a row of a query. */
    private interface Reading<T> {
        T of(ResultSet row) throws SQLException;
    }

    @Override
    public void forEachHolder(Instant heldBefore, Consumer<RunId> visit) {
        Optional<RunId> last = Optional.empty();
        do {
            Object after = last.map(RunId::value).orElse("");
            last = visit(
                    page(row -> new RunId(row.getString(1)), HOLDERS, PostgresBlobs.time(heldBefore), after), visit);
        } while (last.isPresent());
    }

    @Override
    public void forEachIdle(Instant touchedBefore, Consumer<BlobKey> visit) {
        Object before = PostgresBlobs.time(touchedBefore);
        Optional<BlobKey> last = Optional.empty();
        do {
            Object tenant = last.map(BlobKey::tenant).orElse("");
            Object digest = last.map(key -> key.digest().hex()).orElse("");
            last = visit(page(row -> key(row, 1), IDLE, before, tenant, digest), visit);
        } while (last.isPresent());
    }

    @Override
    public void forEachStale(Instant heardBefore, Consumer<BlobTables.Upload> visit) {
        Optional<BlobTables.Upload> last = Optional.empty();
        do {
            Object after = last.map(BlobTables.Upload::content).orElse(FIRST);
            last = visit(
                    page(
                            row -> new BlobTables.Upload(key(row, 2), row.getObject(1, UUID.class)),
                            STALE,
                            PostgresBlobs.time(heardBefore),
                            after),
                    visit);
        } while (last.isPresent());
    }

    private static BlobKey key(ResultSet row, int column) throws SQLException {
        return new BlobKey(row.getString(column), Digest.parse(row.getString(column + 1)));
    }

    /** Visits a page; returns its last item when another page may follow. */
    private static <T> Optional<T> visit(List<T> page, Consumer<T> visit) {
        page.forEach(visit);
        return page.size() < PAGE ? Optional.empty() : Optional.of(page.get(PAGE - 1));
    }

    private <T> List<T> page(Reading<T> reading, String sql, Object... values) {
        return database.transactNow("sweep its blobs", connection -> {
            try (PreparedStatement query = connection.prepareStatement(sql)) {
                for (int i = 0; i < values.length; i++) {
                    query.setObject(i + 1, values[i]);
                }
                try (ResultSet rows = query.executeQuery()) {
                    List<T> page = new ArrayList<>();
                    while (rows.next()) {
                        page.add(reading.of(rows));
                    }
                    return page;
                }
            }
        });
    }

    @Override
    public boolean removeIfIdle(BlobKey key, Instant touchedBefore) {
        return database.transactNow("remove a blob", connection -> {
            Optional<UUID> content = lock(connection, key, touchedBefore);
            // A separate statement, so that it sees holds made before the lock was granted.
            boolean isRemoved = content.isPresent()
                    && PostgresBlobs.update(
                                    connection,
                                    REMOVE,
                                    key.tenant(),
                                    key.digest().hex())
                            == 1;
            if (isRemoved) {
                PostgresBlobs.update(
                        connection,
                        PostgresBlobs.LEAVE_PIECES,
                        content.get(),
                        key.tenant(),
                        key.digest().hex());
            }
            return isRemoved;
        });
    }

    /** Empty when the blob was written since then, or is about to be held. */
    private static Optional<UUID> lock(Connection connection, BlobKey key, Instant touchedBefore) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(LOCK)) {
            query.setString(1, key.tenant());
            query.setString(2, key.digest().hex());
            query.setObject(3, PostgresBlobs.time(touchedBefore));
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? Optional.of(row.getObject(1, UUID.class)) : Optional.empty();
            }
        }
    }
}
