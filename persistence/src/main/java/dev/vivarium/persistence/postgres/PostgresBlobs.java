package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobStore.Hold;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.util.ByteString;

/**
 * Blobs in tables. Each piece is its own transaction, so that an upload from a slow client holds no connection. A hold
 * locks the blob's row; a deletion locks it too before it looks for holds.
 */
final class PostgresBlobs implements BlobTables {
    private static final String FIND =
            "SELECT digest, content, bytes, touched_at FROM blob WHERE tenant = ? AND digest = ANY (?)";
    private static final String TOUCH =
            "UPDATE blob SET touched_at = greatest(touched_at, ?) WHERE tenant = ? AND digest = ?";
    private static final String BEGIN =
            "INSERT INTO blob_upload (content, tenant, digest, heard_at) VALUES (?, ?, ?, ?)";
    private static final String HEARD =
            "UPDATE blob_upload SET heard_at = ? WHERE content = ? AND heard_at > '-infinity'";
    private static final String APPEND =
            "INSERT INTO blob_piece (content, number, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    private static final String ENDED = "DELETE FROM blob_upload WHERE content = ? AND heard_at > '-infinity'";
    private static final String PUBLISH =
            """
            INSERT INTO blob AS kept (tenant, digest, bytes, content, touched_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (tenant, digest) DO UPDATE SET touched_at = greatest(kept.touched_at, excluded.touched_at)
            RETURNING content""";
    private static final String DISCARD = "UPDATE blob_upload SET heard_at = '-infinity' WHERE content = ?";

    /** Turns pieces that no longer belong to a blob into a discarded upload. */
    static final String LEAVE_PIECES =
            "INSERT INTO blob_upload (content, tenant, digest, heard_at) VALUES (?, ?, ?, '-infinity')";

    private static final String DELETE_PIECES =
            """
            DELETE FROM blob_piece WHERE content = ? AND number IN (
                SELECT number FROM blob_piece WHERE content = ? ORDER BY number LIMIT 64)""";
    private static final String DISCARDED = "DELETE FROM blob_upload WHERE content = ?";
    private static final String PIECE = "SELECT data FROM blob_piece WHERE content = ? AND number = ?";
    private static final String LOCK =
            "SELECT digest FROM blob WHERE tenant = ? AND digest = ANY (?) ORDER BY digest FOR KEY SHARE";
    private static final String HOLD =
            """
            INSERT INTO blob_hold (run_id, tenant, digest, held_at)
            SELECT ?, ?, digest, ? FROM unnest(?) AS digest ON CONFLICT DO NOTHING""";
    private static final String RELEASE = "DELETE FROM blob_hold WHERE run_id = ?";

    private final Database database;

    PostgresBlobs(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Map<Digest, Kept>> find(String tenant, Set<Digest> digests) {
        return database.transact("look for blobs", connection -> {
            try (PreparedStatement query = connection.prepareStatement(FIND)) {
                query.setString(1, tenant);
                query.setArray(2, array(connection, digests));
                try (ResultSet rows = query.executeQuery()) {
                    Map<Digest, Kept> found = new HashMap<>();
                    while (rows.next()) {
                        Kept kept = new Kept(
                                rows.getObject(2, UUID.class),
                                rows.getLong(3),
                                rows.getObject(4, OffsetDateTime.class).toInstant());
                        found.put(Digest.parse(rows.getString(1)), kept);
                    }
                    return found;
                }
            }
        });
    }

    private static Array array(Connection connection, Set<Digest> digests) throws SQLException {
        return connection.createArrayOf(
                "text", digests.stream().map(Digest::hex).toArray());
    }

    static OffsetDateTime time(Instant at) {
        return OffsetDateTime.ofInstant(at, ZoneOffset.UTC);
    }

    @Override
    public CompletionStage<Touch> touch(BlobKey key, Instant at) {
        return database.transact("record that a blob is needed", connection -> {
            int touched = update(
                    connection, TOUCH, time(at), key.tenant(), key.digest().hex());
            return touched == 1 ? Touch.TOUCHED : Touch.MISSING;
        });
    }

    @Override
    public CompletionStage<Done> begin(Upload upload, Instant at) {
        return database.transact("begin to store a blob", connection -> {
            BlobKey key = upload.key();
            update(
                    connection,
                    BEGIN,
                    upload.content(),
                    key.tenant(),
                    key.digest().hex(),
                    time(at));
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<Done> append(Upload upload, int number, ByteString piece, Instant at) {
        return database.transact("store a piece of a blob", connection -> {
            if (update(connection, HEARD, time(at), upload.content()) == 0) {
                throw discardedMeanwhile();
            }
            update(connection, APPEND, upload.content(), number, piece.toArray());
            return Done.getInstance();
        });
    }

    private static StoreUnavailable discardedMeanwhile() {
        return new StoreUnavailable("The upload made no progress for too long and was discarded: start it again.");
    }

    @Override
    public CompletionStage<Done> publish(Upload upload, long bytes, Instant at) {
        return database.transact("keep a blob", connection -> publish(connection, upload, bytes, at))
                .thenCompose(content -> content.equals(upload.content())
                        ? CompletableFuture.completedFuture(Done.getInstance())
                        : deletePieces(upload.content()).exceptionally(later -> Done.getInstance()));
    }

    /** Returns the content that the blob has now: another one when another upload was faster. */
    private static UUID publish(Connection connection, Upload upload, long bytes, Instant at) throws SQLException {
        BlobKey key = upload.key();
        if (update(connection, ENDED, upload.content()) == 0) {
            throw discardedMeanwhile();
        }
        try (PreparedStatement insert = connection.prepareStatement(PUBLISH)) {
            insert.setString(1, key.tenant());
            insert.setString(2, key.digest().hex());
            insert.setLong(3, bytes);
            insert.setObject(4, upload.content());
            insert.setObject(5, time(at));
            try (ResultSet row = insert.executeQuery()) {
                row.next();
                UUID content = row.getObject(1, UUID.class);
                if (!content.equals(upload.content())) {
                    update(
                            connection,
                            LEAVE_PIECES,
                            upload.content(),
                            key.tenant(),
                            key.digest().hex());
                }
                return content;
            }
        }
    }

    @Override
    public CompletionStage<Done> discard(Upload upload) {
        return database.transact("discard an upload", connection -> update(connection, DISCARD, upload.content()))
                .thenCompose(discarded -> discarded == 0
                        // It was published or completely discarded.
                        ? CompletableFuture.completedFuture(Done.getInstance())
                        : deletePieces(upload.content()));
    }

    /** In steps, since a large content has many pieces. */
    private CompletionStage<Done> deletePieces(UUID content) {
        return database.transact("delete the pieces of a blob", connection -> {
                    int deleted = update(connection, DELETE_PIECES, content, content);
                    if (deleted == 0) {
                        update(connection, DISCARDED, content);
                    }
                    return deleted;
                })
                .thenCompose(deleted ->
                        deleted == 0 ? CompletableFuture.completedFuture(Done.getInstance()) : deletePieces(content));
    }

    @Override
    public CompletionStage<Optional<ByteString>> piece(UUID content, int number) {
        return database.transact("read a blob", connection -> {
            try (PreparedStatement query = connection.prepareStatement(PIECE)) {
                query.setObject(1, content);
                query.setInt(2, number);
                try (ResultSet row = query.executeQuery()) {
                    return row.next() ? Optional.of(ByteString.fromArray(row.getBytes(1))) : Optional.empty();
                }
            }
        });
    }

    @Override
    public CompletionStage<Hold> hold(String tenant, Set<Digest> digests, BlobHolder holder, Instant at) {
        return database.transact("hold the blobs of run " + holder.name(), connection -> {
            Set<Digest> missing = new HashSet<>(digests);
            try (PreparedStatement lock = connection.prepareStatement(LOCK)) {
                lock.setString(1, tenant);
                lock.setArray(2, array(connection, digests));
                try (ResultSet rows = lock.executeQuery()) {
                    while (rows.next()) {
                        missing.remove(Digest.parse(rows.getString(1)));
                    }
                }
            }
            if (!missing.isEmpty()) {
                return new Hold.Missing(missing);
            }
            update(connection, HOLD, holder.name(), tenant, time(at), array(connection, digests));
            return new Hold.Held();
        });
    }

    @Override
    public CompletionStage<Done> release(RunId run) {
        return database.transact("release the blobs of run " + run, connection -> {
            update(connection, RELEASE, run.value());
            return Done.getInstance();
        });
    }

    static int update(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
