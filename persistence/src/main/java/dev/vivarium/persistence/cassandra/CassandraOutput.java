package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Output in a table, one row per chunk, in parts of {@link #PART_BYTES}, one partition each. The chunks of a run never
 * overlap: each append is a lightweight transaction that inserts the chunks and moves the part's end, on the condition
 * that the end is where the writer expects it. Of two concurrent writers one fails, reads the new end, and drops the
 * chunks before it; chunks of an attempt are dropped once a later attempt has written.
 *
 * <p>A part is closed permanently before the next one is opened, so that a late writer cannot append to it. Chunks are
 * appended in order of their offsets; one before the end changes nothing, even if it would fit into a gap.
 */
final class CassandraOutput implements OutputStore {
    /** The size of a part. A chunk belongs to the part in which it begins. */
    static final long PART_BYTES = 32L << 20;

    /** Bounds a transaction, whose data every replica holds in memory and writes twice. */
    private static final long TRANSACTION_BYTES_MAX = 1 << 20;

    /** Attempts at an append before it fails. More refusals mean many writers, of which hardly any can be current. */
    private static final int TRIES_MAX = 10;

    private static final String MOVE_END =
            "UPDATE run_output SET part_end = ?, attempt_last = ? WHERE run_id = ? AND part = ?"
                    + " IF part_end = ? AND attempt_last = ? AND closed = ?";
    private static final String INSERT =
            "INSERT INTO run_output (run_id, part, byte_offset, attempt, process, stream, at, data)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String CLOSE =
            "UPDATE run_output SET closed = true WHERE run_id = ? AND part = ? IF part_end = ? AND attempt_last = ?";
    private final Cassandra cassandra;
    private final CassandraOutputReader reader;

    CassandraOutput(Cassandra cassandra) {
        this.cassandra = cassandra;
        this.reader = new CassandraOutputReader(cassandra);
    }

    @Override
    public CompletionStage<Long> begin(RunId run, int attempt) {
        return begin(run, attempt, 0, 0, 1);
    }

    /** Recorded in the open part: every writer that appends to it, or opens the next one, compares the attempt there. */
    private CompletionStage<Long> begin(RunId run, int attempt, long part, long before, int tries) {
        return tail(run, part).thenCompose(tail -> {
            long end = tail.end() == null ? before : tail.end();
            if (tail.state() == OutputTail.State.CLOSED) {
                return begin(run, attempt, part + 1, end, tries);
            }
            if (tail.attempt() != null && tail.attempt() >= attempt) {
                return CompletableFuture.completedFuture(end);
            }
            if (tries > TRIES_MAX) {
                return CompletableFuture.failedFuture(new StoreUnavailable(
                        "The store cannot begin the output of run " + run + ": other writers keep changing it."));
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
    public CompletionStage<Appended> append(RunId run, List<OutputChunk> chunks) {
        return append(run, chunks, Appended.WHOLE);
    }

    private CompletionStage<Appended> append(RunId run, List<OutputChunk> chunks, Appended before) {
        if (chunks.isEmpty()) {
            return CompletableFuture.completedFuture(before);
        }
        List<OutputChunk> now = firstTransaction(chunks);
        List<OutputChunk> then = List.copyOf(chunks.subList(now.size(), chunks.size()));
        return append(run, part(now.get(0)), now, guess(now.get(0)), 1)
                .thenCompose(appended -> append(run, then, appended == Appended.WHOLE ? before : appended));
    }

    /** The leading chunks that fit into one part and one transaction; at least one. */
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

    /** The tail if one writer appends without gaps within one part, which is the usual case; saves a read. */
    private static OutputTail guess(OutputChunk first) {
        return first.offset() == 0
                ? OutputTail.EMPTY
                : new OutputTail(first.offset(), first.attempt(), OutputTail.State.OPEN);
    }

    private CompletionStage<Appended> append(
            RunId run, long part, List<OutputChunk> chunks, OutputTail tail, int tries) {
        List<OutputChunk> fitting = fitting(chunks, tail);
        if (fitting.isEmpty() || tail.state() == OutputTail.State.CLOSED) {
            return CompletableFuture.completedFuture(Appended.IN_PART);
        }
        if (tries > TRIES_MAX) {
            return CompletableFuture.failedFuture(new StoreUnavailable(
                    "The store cannot store the output of run " + run + ": other writers keep changing it."));
        }
        return previousClosed(run, part, tail).thenCompose(before -> {
            List<OutputChunk> kept = fitting(fitting, before);
            return kept.isEmpty()
                    ? CompletableFuture.completedFuture(Appended.IN_PART)
                    : offer(run, part, kept, tail)
                            .thenCompose(actual -> actual.isEmpty()
                                    ? CompletableFuture.completedFuture(
                                            kept.size() == chunks.size() ? Appended.WHOLE : Appended.IN_PART)
                                    : append(run, part, chunks, actual.get(), tries + 1));
        });
    }

    /** The chunks after the tail that do not overlap each other. */
    private static List<OutputChunk> fitting(List<OutputChunk> chunks, OutputTail tail) {
        List<OutputChunk> fitting = new ArrayList<>();
        OutputTail reached = tail;
        for (OutputChunk chunk : chunks) {
            if (!reached.isAfter(chunk)) {
                fitting.add(chunk);
                reached = new OutputTail(end(chunk), chunk.attempt(), OutputTail.State.OPEN);
            }
        }
        return fitting;
    }

    static long end(OutputChunk chunk) {
        return chunk.offset() + chunk.data().length();
    }

    /** Empty when the chunks were stored; else the part's actual tail. */
    private CompletionStage<Optional<OutputTail>> offer(
            RunId run, long part, List<OutputChunk> chunks, OutputTail tail) {
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
                .ifSo("store the output of run " + run, statements)
                .thenApply(
                        verdict -> verdict.isApplied() ? Optional.empty() : Optional.of(OutputTail.of(verdict.row())));
    }

    // ---- parts

    /** Before the first write to a part: closes the previous part and returns where it ends. */
    private CompletionStage<OutputTail> previousClosed(RunId run, long part, OutputTail tail) {
        return part == 0 || tail.end() != null
                ? CompletableFuture.completedFuture(OutputTail.EMPTY)
                : tail(run, part - 1).thenCompose(before -> close(run, part - 1, before, 1));
    }

    private CompletionStage<OutputTail> close(RunId run, long part, OutputTail tail, int tries) {
        if (tail.state() == OutputTail.State.CLOSED) {
            return CompletableFuture.completedFuture(tail);
        }
        if (tail.end() == null || tries > TRIES_MAX) {
            return CompletableFuture.failedFuture(new StoreUnavailable("The store cannot store the output of run " + run
                    + ": it arrives out of order, or other writers keep changing it."));
        }
        return cassandra
                .ifSo(
                        "store the output of run " + run,
                        List.of(new Cql(CLOSE, run.value(), part, tail.end(), tail.attempt())))
                .thenCompose(verdict -> verdict.isApplied()
                        ? CompletableFuture.completedFuture(tail)
                        : tail(run, part).thenCompose(actual -> close(run, part, actual, tries + 1)));
    }

    private CompletionStage<OutputTail> tail(RunId run, long part) {
        return cassandra
                .settledRows("read the output of run " + run, OutputTail.QUERY, run.value(), part)
                .thenApply(rows -> rows.isEmpty() ? OutputTail.EMPTY : OutputTail.of(rows.get(0)));
    }

    // ---- reading

    @Override
    public CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes) {
        return reader.read(run, Math.max(0, fromOffset), maxBytes);
    }

    @Override
    public CompletionStage<Boolean> isDeleted(RunId run) {
        return tail(run, 0).thenApply(tail -> tail.attempt() != null && tail.attempt() == DELETED);
    }

    @Override
    public CompletionStage<Long> end(RunId run) {
        return end(run, 0, 0);
    }

    private CompletionStage<Long> end(RunId run, long part, long before) {
        return tail(run, part).thenCompose(tail -> {
            long end = tail.end() == null ? before : tail.end();
            return tail.state() == OutputTail.State.CLOSED
                    ? end(run, part + 1, end)
                    : CompletableFuture.completedFuture(end);
        });
    }
}
