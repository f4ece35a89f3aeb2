package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Output in a table, one row per chunk. The chunks of a run never overlap: writers of one run are serialized; a chunk
 * that overlaps a stored one is dropped, and so is a chunk of an attempt after a later attempt has written.
 */
final class PostgresOutput implements OutputStore {
    private static final String TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))";

    /**
     * Takes turns and inserts, in one round trip and one transaction: the driver sends both statements before it waits, and
     * the second one sees what was committed while the first one waited.
     */
    private static final String APPEND = TAKE_TURNS
            + """
            ;
            INSERT INTO run_output (run_id, byte_offset, attempt, process, stream, at, data)
            SELECT ?, n.byte_offset, n.attempt, n.process, n.stream, n.at, n.data
            FROM unnest(?, ?, ?, ?, ?, ?) AS n (byte_offset, attempt, process, stream, at, data)
            WHERE n.attempt >= coalesce((SELECT max(attempt) FROM run_output WHERE run_id = ?), 0)
            AND NOT EXISTS (
                SELECT 1 FROM (SELECT byte_offset + octet_length(data) AS last_end FROM run_output
                    WHERE run_id = ? AND byte_offset < n.byte_offset + octet_length(n.data)
                    ORDER BY byte_offset DESC LIMIT 1) kept
                WHERE kept.last_end > n.byte_offset)
            ON CONFLICT DO NOTHING""";

    /** From the last chunk that starts at or before the offset; that chunk may end before it. */
    private static final String READ =
            """
            SELECT attempt, process, stream, byte_offset, at, data FROM run_output
            WHERE run_id = ? AND byte_offset >= coalesce(
                (SELECT max(byte_offset) FROM run_output WHERE run_id = ? AND byte_offset <= ?), 0)
            AND byte_offset + octet_length(data) > ?
            ORDER BY byte_offset""";

    private static final String END =
            """
            SELECT byte_offset + octet_length(data) FROM run_output
            WHERE run_id = ? AND byte_offset >= 0 ORDER BY byte_offset DESC LIMIT 1""";

    /** A row before the first byte records that an attempt has begun, and fences like its first chunk. */
    private static final String BEGIN =
            """
            INSERT INTO run_output (run_id, byte_offset, attempt, stream, at, data)
            VALUES (?, ?, ?, 1, now(), '') ON CONFLICT DO NOTHING""";

    /** What fences stays. */
    private static final String DELETE = "DELETE FROM run_output WHERE run_id = ? AND byte_offset >= 0";

    private static final String IS_DELETED = "SELECT EXISTS (SELECT FROM run_output WHERE run_id = ? AND attempt = ?)";

    /** Rows per fetch; readers seldom need many more, and all rows may be a large run's whole output. */
    private static final int ROWS_A_FETCH = 64;

    private final Database database;

    PostgresOutput(Database database) {
        this.database = database;
    }

    @Override
    public CompletionStage<Long> begin(RunId run, int attempt) {
        return database.transact("begin the output of run " + run, connection -> {
            takeTurns(connection, run);
            register(connection, run, attempt);
            return end(connection, run);
        });
    }

    private static void register(Connection connection, RunId run, int attempt) throws SQLException {
        try (PreparedStatement begin = connection.prepareStatement(BEGIN)) {
            begin.setString(1, run.value());
            begin.setLong(2, -attempt);
            begin.setInt(3, attempt);
            begin.executeUpdate();
        }
    }

    /** Deletes a run's output in the caller's transaction, and says whether there was any. */
    static boolean delete(Connection connection, RunId run) throws SQLException {
        takeTurns(connection, run);
        boolean printed = PostgresBlobs.update(connection, DELETE, run.value()) > 0;
        if (printed) {
            register(connection, run, DELETED);
        }
        return printed;
    }

    @Override
    public CompletionStage<Boolean> isDeleted(RunId run) {
        return database.query("read the output of run " + run, connection -> {
            try (PreparedStatement query = connection.prepareStatement(IS_DELETED)) {
                query.setString(1, run.value());
                query.setInt(2, DELETED);
                try (ResultSet row = query.executeQuery()) {
                    return row.next() && row.getBoolean(1);
                }
            }
        });
    }

    @Override
    public CompletionStage<Appended> append(RunId run, List<OutputChunk> chunks) {
        List<OutputChunk> apart = apart(chunks);
        if (apart.isEmpty()) {
            return CompletableFuture.completedFuture(Appended.WHOLE);
        }
        return database.atOnce("store the output of run " + run, connection -> insert(connection, run, apart))
                .thenApply(inserted -> inserted == chunks.size() ? Appended.WHOLE : Appended.IN_PART);
    }

    /** Without chunks that begin before the end of an earlier one; the statement compares with stored ones only. */
    private static List<OutputChunk> apart(List<OutputChunk> chunks) {
        List<OutputChunk> apart = new ArrayList<>();
        long reached = Long.MIN_VALUE;
        for (OutputChunk chunk : chunks) {
            if (chunk.offset() >= reached) {
                apart.add(chunk);
                reached = end(chunk);
            }
        }
        return apart;
    }

    private static long end(OutputChunk chunk) {
        return chunk.offset() + chunk.data().length();
    }

    private static void takeTurns(Connection connection, RunId run) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(TAKE_TURNS)) {
            lock.setString(1, run.value());
            lock.execute();
        }
    }

    private static int insert(Connection connection, RunId run, List<OutputChunk> chunks) throws SQLException {
        try (PreparedStatement append = connection.prepareStatement(APPEND)) {
            append.setString(1, run.value());
            append.setString(2, run.value());
            append.setArray(3, array(connection, "bigint", chunks, OutputChunk::offset));
            append.setArray(4, array(connection, "integer", chunks, OutputChunk::attempt));
            append.setArray(5, array(connection, "integer", chunks, chunk -> chunk.process()
                    .value()));
            append.setArray(6, array(connection, "smallint", chunks, chunk -> chunk.stream() == Stream.STDOUT ? 1 : 2));
            append.setArray(7, array(connection, "timestamptz", chunks, chunk -> chunk.at()
                    .toString()));
            append.setArray(
                    8,
                    connection.createArrayOf(
                            "bytea",
                            chunks.stream()
                                    .map(chunk -> chunk.data().toByteArray())
                                    .toArray(byte[][]::new)));
            append.setString(9, run.value());
            append.setString(10, run.value());
            append.execute();
            append.getMoreResults();
            return append.getUpdateCount();
        }
    }

    private static Array array(
            Connection connection, String type, List<OutputChunk> chunks, Function<OutputChunk, Object> column)
            throws SQLException {
        return connection.createArrayOf(type, chunks.stream().map(column).toArray());
    }

    @Override
    public CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes) {
        return database.transact("read the output of run " + run, connection -> {
            try (PreparedStatement query = connection.prepareStatement(READ)) {
                query.setFetchSize(ROWS_A_FETCH);
                query.setString(1, run.value());
                query.setString(2, run.value());
                query.setLong(3, fromOffset);
                query.setLong(4, fromOffset);
                try (ResultSet rows = query.executeQuery()) {
                    return upTo(maxBytes, rows);
                }
            }
        });
    }

    private static List<OutputChunk> upTo(int maxBytes, ResultSet rows) throws SQLException {
        List<OutputChunk> chunks = new ArrayList<>();
        long bytes = 0;
        while (rows.next()) {
            OutputChunk chunk = chunk(rows);
            bytes += chunk.data().length();
            if (!chunks.isEmpty() && bytes > maxBytes) {
                break;
            }
            chunks.add(chunk);
        }
        return chunks;
    }

    private static OutputChunk chunk(ResultSet row) throws SQLException {
        return new OutputChunk(
                row.getInt(1),
                new ProcessId(row.getInt(2)),
                row.getInt(3) == 1 ? Stream.STDOUT : Stream.STDERR,
                row.getLong(4),
                row.getObject(5, OffsetDateTime.class).toInstant(),
                Blob.of(row.getBytes(6)));
    }

    @Override
    public CompletionStage<Long> end(RunId run) {
        return database.query("read the output of run " + run, connection -> end(connection, run));
    }

    private static long end(Connection connection, RunId run) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(END)) {
            query.setString(1, run.value());
            try (ResultSet rows = query.executeQuery()) {
                return rows.next() ? rows.getLong(1) : 0L;
            }
        }
    }
}
