package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Reads output that {@link CassandraOutput} has written, across the boundaries of its parts. */
final class CassandraOutputReader {
    private static final int ROWS_A_PAGE = 16;

    private static final String LAST_AT_OR_BEFORE =
            "SELECT byte_offset FROM run_output WHERE run_id = ? AND part = ? AND byte_offset <= ?"
                    + " ORDER BY byte_offset DESC LIMIT 1";
    private static final String READ =
            "SELECT attempt, process, stream, byte_offset, at, data FROM run_output WHERE run_id = ? AND part = ?"
                    + " AND byte_offset >= ?";

    private final Cassandra cassandra;

    CassandraOutputReader(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    /** The chunks from the one that contains the offset on, up to a number of bytes; at least one if there is any. */
    CompletionStage<List<OutputChunk>> read(RunId run, long from, int maxBytes) {
        return beginning(run, from / CassandraOutput.PART_BYTES, from)
                .thenCompose(place -> read(run, place.part(), place.offset(), new Reading(from, maxBytes)));
    }

    private record Beginning(long part, long offset) {}

    /** The result of a read so far. Used by one thread at a time. */
    private static final class Reading {
        private final long from;
        private final int maxBytes;
        private final List<OutputChunk> chunks = new ArrayList<>();
        private long bytes;
        private Progress progress = Progress.ROOM;

        private enum Progress {
            ROOM,
            FULL
        }

        Reading(long from, int maxBytes) {
            this.from = from;
            this.maxBytes = maxBytes;
        }

        void add(OutputChunk chunk) {
            if (progress == Progress.FULL || CassandraOutput.end(chunk) <= from) {
                return;
            }
            if (!chunks.isEmpty() && bytes + chunk.data().length() > maxBytes) {
                progress = Progress.FULL;
                return;
            }
            bytes += chunk.data().length();
            chunks.add(chunk);
        }
    }

    /** The last chunk at or before the offset, which may contain it; it may have begun in the previous part. */
    private CompletionStage<Beginning> beginning(RunId run, long part, long from) {
        return cassandra
                .rows("read the output of run " + run, LAST_AT_OR_BEFORE, run.value(), part, from)
                .thenCompose(rows -> {
                    if (!rows.isEmpty() && !rows.get(0).isNull(0)) {
                        return CompletableFuture.completedFuture(
                                new Beginning(part, rows.get(0).getLong(0)));
                    }
                    return part == 0
                            ? CompletableFuture.completedFuture(new Beginning(0, 0))
                            : beginning(run, part - 1, from);
                });
    }

    /** Checks first whether the part is closed: only then does the following read see all of it. */
    private CompletionStage<List<OutputChunk>> read(RunId run, long part, long offset, Reading reading) {
        String what = "read the output of run " + run;
        return cassandra.rows(what, OutputTail.QUERY, run.value(), part).thenCompose(tail -> cassandra
                .page(what, ROWS_A_PAGE, READ, run.value(), part, offset)
                .thenCompose(page -> gather(run, page, reading))
                .thenCompose(done -> reading.progress == Reading.Progress.ROOM && isClosed(tail)
                        ? read(run, part + 1, offset, reading)
                        : CompletableFuture.completedFuture(reading.chunks)));
    }

    private static boolean isClosed(List<Row> tail) {
        return !tail.isEmpty() && OutputTail.of(tail.get(0)).state() == OutputTail.State.CLOSED;
    }

    private CompletionStage<Done> gather(RunId run, AsyncResultSet page, Reading reading) {
        page.currentPage().forEach(row -> reading.add(chunk(row)));
        if (reading.progress == Reading.Progress.FULL || !page.hasMorePages()) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        return page.fetchNextPage()
                .exceptionallyCompose(failed -> CompletableFuture.failedFuture(new StoreUnavailable(
                        "The store cannot read the output of run " + run + ": " + failed.getMessage(), failed)))
                .thenCompose(next -> gather(run, next, reading));
    }

    private static OutputChunk chunk(Row row) {
        return new OutputChunk(
                row.getInt(0),
                // Rows from before there were several processes have no process.
                row.isNull(1) ? ProcessId.COMMAND : new ProcessId(row.getInt(1)),
                row.getInt(2) == 1 ? Stream.STDOUT : Stream.STDERR,
                row.getLong(3),
                Instant.EPOCH.plus(row.getLong(4), ChronoUnit.MICROS),
                CassandraRunJournal.bytes(row, 5));
    }
}
