package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Output in a table, one row per chunk. The chunks of a run never overlap: writers of one run are serialized; a chunk
 * that overlaps a stored one is dropped, and so is a chunk of an attempt after a later attempt has written.
 */
final class PostgresOutput implements OutputStore {
    private static final String TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))";

    private static final String INSERT =
            """
            INSERT INTO run_output (run_id, byte_offset, attempt, process, stream, at, data)
            SELECT n.* FROM (SELECT ?::char(26), ?::bigint AS byte_offset, ?::int AS attempt, ?::int, ?::smallint,
                ?::timestamptz, ?::bytea AS data) n
            WHERE NOT EXISTS (SELECT 1 FROM run_output later WHERE later.run_id = ? AND later.attempt > n.attempt)
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
            try (PreparedStatement begin = connection.prepareStatement(BEGIN)) {
                begin.setString(1, run.value());
                begin.setLong(2, -attempt);
                begin.setInt(3, attempt);
                begin.executeUpdate();
            }
            return end(connection, run);
        });
    }

    @Override
    public CompletionStage<Done> append(RunId run, List<OutputChunk> chunks) {
        if (chunks.isEmpty()) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        List<OutputChunk> all = List.copyOf(chunks);
        return database.transact("store the output of run " + run, connection -> {
            takeTurns(connection, run);
            for (OutputChunk chunk : all) {
                insert(connection, run, chunk);
            }
            return Done.getInstance();
        });
    }

    private static void takeTurns(Connection connection, RunId run) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(TAKE_TURNS)) {
            lock.setString(1, run.value());
            lock.execute();
        }
    }

    private static void insert(Connection connection, RunId run, OutputChunk chunk) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, run.value());
            insert.setLong(2, chunk.offset());
            insert.setInt(3, chunk.attempt());
            insert.setInt(4, chunk.process().value());
            insert.setInt(5, chunk.stream() == Stream.STDOUT ? 1 : 2);
            insert.setObject(6, OffsetDateTime.ofInstant(chunk.at(), ZoneOffset.UTC));
            insert.setBytes(7, chunk.data().toByteArray());
            insert.setString(8, run.value());
            insert.setString(9, run.value());
            insert.executeUpdate();
        }
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
        return database.transact("read the output of run " + run, connection -> end(connection, run));
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
