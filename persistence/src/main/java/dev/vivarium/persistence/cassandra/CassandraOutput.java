package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/**
 * Output in a table, a row a chunk, in parts of {@link #PART_BYTES}, each a partition. The chunks of a run never overlap:
 * with each append the part's end moves, by a lightweight transaction, from where the writer thinks it is and together
 * with the chunks. Of two writers one is refused, looks where the end is now, and drops what is before it; a chunk of an
 * attempt is dropped when a later one has written already.
 *
 * <p>A part is closed for good before the next one is opened, so that nobody who is late writes to it any more. Chunks come
 * in the order of their offsets; one before the end changes nothing, whether or not there is a gap where it would fit.
 */
final class CassandraOutput implements OutputStore {
    /** A chunk belongs to the part in which it begins. */
    static final long PART_BYTES = 32L << 20;

    /** A transaction's data is held in memory and written twice by every replica. */
    private static final long TRANSACTION_BYTES_MAX = 1 << 20;

    /** An append that is refused more often is one of many at once, and none of them is likely to be right. */
    private static final int TRIES_MAX = 10;

    private static final int ROWS_A_PAGE = 16;

    private static final String MOVE_END =
            "UPDATE run_output SET part_end = ?, attempt_last = ? WHERE run_id = ? AND part = ?"
                    + " IF part_end = ? AND attempt_last = ? AND closed = ?";
    private static final String INSERT =
            "INSERT INTO run_output (run_id, part, byte_offset, attempt, process, stream, at, data)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String CLOSE =
            "UPDATE run_output SET closed = true WHERE run_id = ? AND part = ? IF part_end = ? AND attempt_last = ?";
    private static final String TAIL =
            "SELECT part_end, attempt_last, closed FROM run_output WHERE run_id = ? AND part = ? LIMIT 1";
    private static final String LAST_AT_OR_BEFORE =
            "SELECT byte_offset FROM run_output WHERE run_id = ? AND part = ? AND byte_offset <= ?"
                    + " ORDER BY byte_offset DESC LIMIT 1";
    private static final String READ =
            "SELECT attempt, process, stream, byte_offset, at, data FROM run_output WHERE run_id = ? AND part = ?"
                    + " AND byte_offset >= ?";

    private final Cassandra cassandra;

    CassandraOutput(Cassandra cassandra) {
        this.cassandra = cassandra;
    }

    /**
     * Where a part ends.
     *
     * @param end the offset after its last byte; null in an empty part, as in the table
     * @param attempt the last attempt that wrote to it
     * @param state whether it takes more
     */
    private record Tail(@Nullable Long end, @Nullable Integer attempt, State state) {
        private enum State {
            OPEN,
            CLOSED
        }

        static final Tail EMPTY = new Tail(null, null, State.OPEN);

        static Tail of(Row row) {
            return new Tail(
                    row.isNull("part_end") ? null : row.getLong("part_end"),
                    row.isNull("attempt_last") ? null : row.getInt("attempt_last"),
                    !row.isNull("closed") && row.getBoolean("closed") ? State.CLOSED : State.OPEN);
        }

        /** Of a refused transaction, which tells of no column when there is no row. */
        static Tail of(Optional<Row> row) {
            return row.filter(present -> present.getColumnDefinitions().contains("part_end"))
                    .map(Tail::of)
                    .orElse(EMPTY);
        }

        boolean isAfter(OutputChunk chunk) {
            return (end != null && chunk.offset() < end) || (attempt != null && chunk.attempt() < attempt);
        }
    }

    @Override
    public CompletionStage<Long> begin(RunId run, int attempt) {
        return begin(run, attempt, 0, 0, 1);
    }

    /** In the part that takes more: whoever writes to it, or wants to open the next one, meets the attempt there. */
    private CompletionStage<Long> begin(RunId run, int attempt, long part, long before, int tries) {
        return tail(run, part).thenCompose(tail -> {
            long end = tail.end() == null ? before : tail.end();
            if (tail.state() == Tail.State.CLOSED) {
                return begin(run, attempt, part + 1, end, tries);
            }
            if (tail.attempt() != null && tail.attempt() >= attempt) {
                return CompletableFuture.completedFuture(end);
            }
            if (tries > TRIES_MAX) {
                return CompletableFuture.failedFuture(new StoreUnavailable(
                        "The store cannot begin the output of run " + run + ": others write to it all the time."));
            }
            Cql fence = new Cql(MOVE_END, tail.end(), attempt, run.value(), part, tail.end(), tail.attempt(), null);
            return cassandra
                    .ifSo("begin the output of run " + run, List.of(fence))
                    .thenCompose(verdict -> verdict.isApplied()
                            ? CompletableFuture.completedFuture(end)
                            : begin(run, attempt, part, before, tries + 1));
        });
    }

    @Override
    public CompletionStage<Done> append(RunId run, List<OutputChunk> chunks) {
        if (chunks.isEmpty()) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        List<OutputChunk> now = firstTransaction(chunks);
        List<OutputChunk> then = List.copyOf(chunks.subList(now.size(), chunks.size()));
        return append(run, part(now.get(0)), now, guess(now.get(0)), 1).thenCompose(done -> append(run, then));
    }

    /** As many of the chunks as go into one part and one transaction; at least one. */
    private static List<OutputChunk> firstTransaction(List<OutputChunk> chunks) {
        long part = part(chunks.get(0));
        long bytes = 0;
        List<OutputChunk> first = new ArrayList<>();
        for (OutputChunk chunk : chunks) {
            bytes += chunk.data().length();
            if (!first.isEmpty() && (part(chunk) != part || bytes > TRANSACTION_BYTES_MAX)) {
                break;
            }
            first.add(chunk);
        }
        return first;
    }

    private static long part(OutputChunk chunk) {
        return chunk.offset() / PART_BYTES;
    }

    /** Right as long as one writer appends without a gap and within one part; it saves a read. */
    private static Tail guess(OutputChunk first) {
        return first.offset() == 0 ? Tail.EMPTY : new Tail(first.offset(), first.attempt(), Tail.State.OPEN);
    }

    private CompletionStage<Done> append(RunId run, long part, List<OutputChunk> chunks, Tail tail, int tries) {
        List<OutputChunk> fitting = fitting(chunks, tail);
        if (fitting.isEmpty() || tail.state() == Tail.State.CLOSED) {
            return CompletableFuture.completedFuture(Done.getInstance());
        }
        if (tries > TRIES_MAX) {
            return CompletableFuture.failedFuture(new StoreUnavailable(
                    "The store cannot keep the output of run " + run + ": others write to it all the time."));
        }
        return previousClosed(run, part, tail)
                .thenCompose(before -> {
                    List<OutputChunk> kept = fitting(fitting, before);
                    return kept.isEmpty()
                            ? CompletableFuture.completedFuture(Optional.<Tail>empty())
                            : offer(run, part, kept, tail);
                })
                .thenCompose(actual -> actual.isEmpty()
                        ? CompletableFuture.completedFuture(Done.getInstance())
                        : append(run, part, chunks, actual.get(), tries + 1));
    }

    /** Those chunks that are after the tail and do not overlap each other. */
    private static List<OutputChunk> fitting(List<OutputChunk> chunks, Tail tail) {
        List<OutputChunk> fitting = new ArrayList<>();
        Tail reached = tail;
        for (OutputChunk chunk : chunks) {
            if (!reached.isAfter(chunk)) {
                fitting.add(chunk);
                reached = new Tail(end(chunk), chunk.attempt(), Tail.State.OPEN);
            }
        }
        return fitting;
    }

    private static long end(OutputChunk chunk) {
        return chunk.offset() + chunk.data().length();
    }

    /** Empty when the chunks are kept; where the part ends in truth when they are not. */
    private CompletionStage<Optional<Tail>> offer(RunId run, long part, List<OutputChunk> chunks, Tail tail) {
        OutputChunk last = chunks.get(chunks.size() - 1);
        List<Cql> statements = new ArrayList<>();
        statements.add(
                new Cql(MOVE_END, end(last), last.attempt(), run.value(), part, tail.end(), tail.attempt(), null));
        for (OutputChunk chunk : chunks) {
            statements.add(new Cql(
                    INSERT,
                    run.value(),
                    part,
                    chunk.offset(),
                    chunk.attempt(),
                    chunk.process().value(),
                    chunk.stream() == Stream.STDOUT ? 1 : 2,
                    ChronoUnit.MICROS.between(Instant.EPOCH, chunk.at()),
                    ByteBuffer.wrap(chunk.data().toByteArray())));
        }
        return cassandra
                .ifSo("keep the output of run " + run, statements)
                .thenApply(verdict -> verdict.isApplied() ? Optional.empty() : Optional.of(Tail.of(verdict.row())));
    }

    // ---- parts

    /** Before the first write to a part: closes the one before, and says where that has ended. */
    private CompletionStage<Tail> previousClosed(RunId run, long part, Tail tail) {
        return part == 0 || tail.end() != null
                ? CompletableFuture.completedFuture(Tail.EMPTY)
                : tail(run, part - 1).thenCompose(before -> close(run, part - 1, before, 1));
    }

    private CompletionStage<Tail> close(RunId run, long part, Tail tail, int tries) {
        if (tail.state() == Tail.State.CLOSED) {
            return CompletableFuture.completedFuture(tail);
        }
        if (tail.end() == null || tries > TRIES_MAX) {
            return CompletableFuture.failedFuture(new StoreUnavailable("The store cannot keep the output of run " + run
                    + ": it comes out of order, or others write to it all the time."));
        }
        return cassandra
                .ifSo(
                        "keep the output of run " + run,
                        List.of(new Cql(CLOSE, run.value(), part, tail.end(), tail.attempt())))
                .thenCompose(verdict -> verdict.isApplied()
                        ? CompletableFuture.completedFuture(tail)
                        : tail(run, part).thenCompose(actual -> close(run, part, actual, tries + 1)));
    }

    private CompletionStage<Tail> tail(RunId run, long part) {
        return cassandra
                .settledRows("read the output of run " + run, TAIL, run.value(), part)
                .thenApply(rows -> rows.isEmpty() ? Tail.EMPTY : Tail.of(rows.get(0)));
    }

    // ---- reading

    @Override
    public CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes) {
        long from = Math.max(0, fromOffset);
        return beginning(run, from / PART_BYTES, from)
                .thenCompose(place -> read(run, place.part(), place.offset(), new Reading(from, maxBytes)));
    }

    private record Beginning(long part, long offset) {}

    /** What one read has gathered. Used by one thread after the other. */
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
            if (progress == Progress.FULL || end(chunk) <= from) {
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

    /** The last chunk at or before the offset, which may hold it; it may have begun in the part before. */
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

    /** Asks first whether the part is closed: only then all of it is in what is read next. */
    private CompletionStage<List<OutputChunk>> read(RunId run, long part, long offset, Reading reading) {
        String what = "read the output of run " + run;
        return cassandra.rows(what, TAIL, run.value(), part).thenCompose(tail -> cassandra
                .page(what, ROWS_A_PAGE, READ, run.value(), part, offset)
                .thenCompose(page -> gather(run, page, reading))
                .thenCompose(done -> reading.progress == Reading.Progress.ROOM && isClosed(tail)
                        ? read(run, part + 1, offset, reading)
                        : CompletableFuture.completedFuture(reading.chunks)));
    }

    private static boolean isClosed(List<Row> tail) {
        return !tail.isEmpty() && Tail.of(tail.get(0)).state() == Tail.State.CLOSED;
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
                // Rows of before there were several processes have none.
                row.isNull(1) ? ProcessId.COMMAND : new ProcessId(row.getInt(1)),
                row.getInt(2) == 1 ? Stream.STDOUT : Stream.STDERR,
                row.getLong(3),
                Instant.EPOCH.plus(row.getLong(4), ChronoUnit.MICROS),
                CassandraRunJournal.bytes(row, 5));
    }

    @Override
    public CompletionStage<Long> end(RunId run) {
        return end(run, 0, 0);
    }

    private CompletionStage<Long> end(RunId run, long part, long before) {
        return tail(run, part).thenCompose(tail -> {
            long end = tail.end() == null ? before : tail.end();
            return tail.state() == Tail.State.CLOSED ? end(run, part + 1, end) : CompletableFuture.completedFuture(end);
        });
    }
}
