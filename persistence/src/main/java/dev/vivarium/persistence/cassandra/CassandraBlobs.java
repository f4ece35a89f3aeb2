package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.content.BlobHolder;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.persistence.content.StoredBlobs;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobStore.Hold;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Blobs in tables. A blob's entry is in one partition with the uploads that may become it and changes by lightweight
 * transactions, so that of two uploads one is published and the other one is informed.
 *
 * <p>Holds are plain rows, since many runs hold the same blob concurrently and must not wait for each other. A hold is
 * written first and then checks whether the blob is condemned; a deletion condemns first and then checks for holds. So
 * at least one of the two sees the other. A hold that sees the condemnation reverts it; the reversal and the deletion
 * are both transactions on the same row, so only one of them is applied.
 */
final class CassandraBlobs implements BlobTables {
    /** Pieces per partition. */
    private static final int PIECES_A_PART = 64;

    /** Attempts at a transaction before it fails because of contention. */
    private static final int TRIES_MAX = 20;

    /** The most concurrent statements of one call. */
    private static final int AT_ONCE = 32;

    private static final String FIND =
            "SELECT bytes, content, touched_at, condemned FROM blob WHERE tenant = ? AND digest = ? LIMIT 1";
    private static final String TOUCH =
            "UPDATE blob SET touched_at = ?, condemned = null WHERE tenant = ? AND digest = ?"
                    + " IF content = ? AND touched_at = ? AND condemned = ?";
    private static final String BEGIN =
            "INSERT INTO blob (tenant, digest, upload, heard_at, parts) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS";
    private static final String HEARD = "UPDATE blob SET heard_at = ?, parts = ? WHERE tenant = ? AND digest = ?"
            + " AND upload = ? IF heard_at > 0";
    private static final String APPEND = "INSERT INTO blob_piece (content, part, number, data) VALUES (?, ?, ?, ?)";
    private static final String PUBLISH = "UPDATE blob SET bytes = ?, content = ?, touched_at = ?, condemned = null"
            + " WHERE tenant = ? AND digest = ? IF content = null";
    private static final String ENDED =
            "DELETE FROM blob WHERE tenant = ? AND digest = ? AND upload = ? IF heard_at > 0";
    private static final String UPLOAD =
            "SELECT heard_at, parts FROM blob WHERE tenant = ? AND digest = ? AND upload = ?";
    private static final String DISCARD =
            "UPDATE blob SET heard_at = 0 WHERE tenant = ? AND digest = ? AND upload = ? IF EXISTS";
    private static final String DISCARDED = "DELETE FROM blob WHERE tenant = ? AND digest = ? AND upload = ? IF EXISTS";
    private static final String DELETE_PIECES = "DELETE FROM blob_piece WHERE content = ? AND part = ?";
    private static final String PIECE = "SELECT data FROM blob_piece WHERE content = ? AND part = ? AND number = ?";
    private static final String HOLD = "INSERT INTO blob_hold (tenant, digest, run_id) VALUES (?, ?, ?)";
    private static final String HOLD_OF_RUN =
            "INSERT INTO blob_of_run (run_id, tenant, digest, held_at) VALUES (?, ?, ?, ?)";
    private static final String OF_RUN = "SELECT tenant, digest FROM blob_of_run WHERE run_id = ?";
    private static final String END_HOLD = "DELETE FROM blob_hold WHERE tenant = ? AND digest = ? AND run_id = ?";
    private static final String END_OF_RUN = "DELETE FROM blob_of_run WHERE run_id = ?";

    private final Cassandra cassandra;

    CassandraBlobs(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    /** A blob's entry in its partition. */
    record Entry(UUID content, long bytes, long touchedAt, @Nullable UUID condemned) {
        static Optional<Entry> of(List<Row> rows) {
            return rows.stream()
                    .filter(row -> !row.isNull("content"))
                    .findFirst()
                    .map(row -> new Entry(
                            Objects.requireNonNull(row.getUuid("content")),
                            row.getLong("bytes"),
                            row.getLong("touched_at"),
                            row.getUuid("condemned")));
        }

        Kept kept() {
            return new Kept(content, bytes, Instant.ofEpochMilli(touchedAt));
        }
    }

    @Override
    public CompletionStage<Map<Digest, Kept>> find(String tenant, Set<Digest> digests) {
        return forEach(digests, digest -> cassandra
                        .rows("look for blobs", FIND, tenant, digest.hex())
                        .thenApply(Entry::of))
                .thenApply(entries -> {
                    Map<Digest, Kept> found = new HashMap<>();
                    entries.forEach(
                            (digest, entry) -> entry.map(Entry::kept).ifPresent(kept -> found.put(digest, kept)));
                    return found;
                });
    }

    /** Runs the work for each digest, a few concurrently: a run may have thousands of files. */
    private static <T> CompletionStage<Map<Digest, T>> forEach(
            Set<Digest> digests, Function<Digest, CompletionStage<T>> work) {
        return forEach(List.copyOf(digests), 0, work, new HashMap<>());
    }

    private static <T> CompletionStage<Map<Digest, T>> forEach(
            List<Digest> digests, int from, Function<Digest, CompletionStage<T>> work, Map<Digest, T> results) {
        if (from == digests.size()) {
            return CompletableFuture.completedFuture(results);
        }
        List<Digest> now = digests.subList(from, Math.min(digests.size(), from + AT_ONCE));
        return Cassandra.all(now.stream().map(work).toList()).thenCompose(done -> {
            for (int i = 0; i < now.size(); i++) {
                results.put(now.get(i), done.get(i));
            }
            return forEach(digests, from + now.size(), work, results);
        });
    }

    /** The entry, read serially, as the next transaction will see it. */
    CompletionStage<Optional<Entry>> settled(BlobKey key) {
        return cassandra
                .settledRows("look for a blob", FIND, key.tenant(), key.digest().hex())
                .thenApply(Entry::of);
    }

    @Override
    public CompletionStage<Touch> touch(BlobKey key, Instant at) {
        return touch(key, at, 1);
    }

    private CompletionStage<Touch> touch(BlobKey key, Instant at, int tries) {
        return settled(key).thenCompose(entry -> {
            if (entry.isEmpty()) {
                return CompletableFuture.completedFuture(Touch.MISSING);
            }
            if (tries > TRIES_MAX) {
                return CompletableFuture.failedFuture(
                        new StoreUnavailable("The store cannot store a blob: other writers keep changing it."));
            }
            Entry seen = entry.get();
            Cql touch = new Cql(
                    TOUCH,
                    Math.max(seen.touchedAt, at.toEpochMilli()),
                    key.tenant(),
                    key.digest().hex(),
                    seen.content,
                    seen.touchedAt,
                    seen.condemned);
            return cassandra
                    .ifSo("keep a blob", List.of(touch))
                    .thenCompose(verdict -> verdict.isApplied()
                            ? CompletableFuture.completedFuture(Touch.TOUCHED)
                            : touch(key, at, tries + 1));
        });
    }

    @Override
    public CompletionStage<Done> begin(Upload upload, Instant at) {
        return once(upload, "begin to store a blob", BEGIN, at.toEpochMilli(), 1);
    }

    /** Executes a statement on an upload; the values follow the upload's key. */
    private CompletionStage<Done> once(Upload upload, String what, String text, Object... values) {
        List<Object> all = new ArrayList<>(
                List.of(upload.key().tenant(), upload.key().digest().hex(), upload.content()));
        all.addAll(List.of(values));
        return cassandra.ifSo(what, List.of(new Cql(text, all.toArray()))).thenApply(verdict -> Done.getInstance());
    }

    @Override
    public CompletionStage<Done> append(Upload upload, int number, ByteString piece, Instant at) {
        int part = number / PIECES_A_PART;
        CompletionStage<Done> room = part > 0 && number % PIECES_A_PART == 0
                ? heard(upload, part + 1, at)
                : CompletableFuture.completedFuture(Done.getInstance());
        return room.thenCompose(ready -> cassandra.write(
                "store a piece of a blob", APPEND, upload.content(), part, number, ByteBuffer.wrap(piece.toArray())));
    }

    /** The number of partitions for the pieces of a content of that length. */
    static int partCount(long bytes) {
        return Math.max(1, (StoredBlobs.pieceCount(bytes) + PIECES_A_PART - 1) / PIECES_A_PART);
    }

    /** Recorded before a part is written, so that a discard knows which parts exist. */
    private CompletionStage<Done> heard(Upload upload, int parts, Instant at) {
        Cql heard = new Cql(
                HEARD,
                at.toEpochMilli(),
                parts,
                upload.key().tenant(),
                upload.key().digest().hex(),
                upload.content());
        return cassandra.ifSo("store a piece of a blob", List.of(heard)).thenApply(verdict -> {
            if (!verdict.isApplied()) {
                throw discardedMeanwhile();
            }
            return Done.getInstance();
        });
    }

    private static StoreUnavailable discardedMeanwhile() {
        return new StoreUnavailable("The upload made no progress for too long and was discarded: start it again.");
    }

    @Override
    public CompletionStage<Done> publish(Upload upload, long bytes, Instant at) {
        BlobKey key = upload.key();
        String digest = key.digest().hex();
        return cassandra
                .ifSo(
                        "keep a blob",
                        List.of(
                                new Cql(PUBLISH, bytes, upload.content(), at.toEpochMilli(), key.tenant(), digest),
                                new Cql(ENDED, key.tenant(), digest, upload.content())))
                .thenCompose(verdict -> verdict.isApplied()
                        ? CompletableFuture.completedFuture(Done.getInstance())
                        : publishedByAnother(upload, at));
    }

    private CompletionStage<Done> publishedByAnother(Upload upload, Instant at) {
        return touch(upload.key(), at).thenCompose(touch -> {
            if (touch == Touch.MISSING) {
                throw discardedMeanwhile();
            }
            return discard(upload).exceptionally(later -> Done.getInstance());
        });
    }

    @Override
    public CompletionStage<Done> discard(Upload upload) {
        BlobKey key = upload.key();
        return once(upload, "discard an upload", DISCARD)
                .thenCompose(discarded -> cassandra.settledRows(
                        "discard an upload", UPLOAD, key.tenant(), key.digest().hex(), upload.content()))
                .thenCompose(rows -> rows.isEmpty()
                        ? CompletableFuture.completedFuture(Done.getInstance())
                        : deletePieces(upload, rows.get(0).getInt("parts")));
    }

    private CompletionStage<Done> deletePieces(Upload upload, int parts) {
        List<CompletionStage<Done>> deletions = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            deletions.add(cassandra.write("delete the pieces of a blob", DELETE_PIECES, upload.content(), part));
        }
        return Cassandra.all(deletions).thenCompose(deleted -> once(upload, "discard an upload", DISCARDED));
    }

    @Override
    public CompletionStage<Optional<ByteString>> piece(UUID content, int number) {
        return cassandra
                .rows("read a blob", PIECE, content, number / PIECES_A_PART, number)
                .thenApply(rows -> rows.stream()
                        .findFirst()
                        .map(row -> ByteString.fromArray(
                                CassandraRunJournal.bytes(row, 0).toByteArray())));
    }

    @Override
    public CompletionStage<Hold> hold(String tenant, Set<Digest> digests, BlobHolder holder, Instant at) {
        String what = "hold the blobs of run " + holder.name();
        return forEach(digests, digest -> cassandra
                        // First the rows by which the end of the run releases.
                        .write(what, HOLD_OF_RUN, holder.name(), tenant, digest.hex(), at.toEpochMilli())
                        .thenCompose(done -> cassandra.write(what, HOLD, tenant, digest.hex(), holder.name()))
                        .thenCompose(done -> lookAfterHold(what, new BlobKey(tenant, digest), at)))
                .thenApply(looks -> {
                    Set<Digest> missing = looks.entrySet().stream()
                            .filter(look -> look.getValue() == Touch.MISSING)
                            .map(Map.Entry::getKey)
                            .collect(Collectors.toSet());
                    return missing.isEmpty() ? new Hold.Held() : new Hold.Missing(missing);
                });
    }

    /** Whether a written hold came in time; reverts a condemnation by the sweep. */
    private CompletionStage<Touch> lookAfterHold(String what, BlobKey key, Instant at) {
        return cassandra.rows(what, FIND, key.tenant(), key.digest().hex()).thenCompose(rows -> {
            Optional<Entry> entry = Entry.of(rows);
            if (entry.isEmpty()) {
                return CompletableFuture.completedFuture(Touch.MISSING);
            }
            return entry.get().condemned == null ? CompletableFuture.completedFuture(Touch.TOUCHED) : touch(key, at);
        });
    }

    @Override
    public CompletionStage<Done> release(RunId run) {
        return release(BlobHolder.living(run)).thenApply(held -> Done.getInstance());
    }

    /** Ends a holder's holds, and says whether it had any. */
    CompletionStage<Boolean> release(BlobHolder holder) {
        String what = "release the blobs of run " + holder.name();
        return cassandra
                .rows(what, OF_RUN, holder.name())
                .thenCompose(rows -> Cassandra.all(rows.stream()
                        .map(row -> cassandra.write(
                                what,
                                END_HOLD,
                                String.valueOf(row.getString(0)),
                                String.valueOf(row.getString(1)),
                                holder.name()))
                        .toList()))
                .thenCompose(ended -> ended.isEmpty()
                        ? CompletableFuture.completedFuture(false)
                        : cassandra.write(what, END_OF_RUN, holder.name()).thenApply(done -> true));
    }
}
