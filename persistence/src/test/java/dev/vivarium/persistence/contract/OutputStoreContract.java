package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.OutputStore.Appended;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** The contract of every store of output. */
public abstract class OutputStoreContract {
    private static final Instant AT = Instant.parse("2026-01-01T00:00:00.000123Z");

    private OutputStore output;
    private RunId run;

    protected abstract Store store();

    @BeforeEach
    void anotherRun(TestInfo test) {
        output = store().output();
        run = Fixtures.run(1000 + Math.floorMod(test.getDisplayName().hashCode(), 1_000_000));
    }

    @Test
    void chunksReadBackEqualAndInOrder() {
        List<OutputChunk> chunks = List.of(
                chunk(1, 0, "out"),
                new OutputChunk(1, ProcessId.COMMAND, Stream.STDERR, 3, AT, Blob.of(new byte[] {0, -1, 10})),
                chunk(1, 6, "more"));
        append(chunks);

        assertThat(read(0, 1000)).isEqualTo(chunks);
        assertThat(end()).isEqualTo(10);
    }

    @Test
    void processesOfARunShareOneSequenceAndKeepTheirNames() {
        List<OutputChunk> chunks = List.of(
                chunk(1, 0, "command"),
                new OutputChunk(1, new ProcessId(2), Stream.STDOUT, 7, AT, Blob.ofUtf8("second")),
                chunk(1, 13, "again"),
                new OutputChunk(1, new ProcessId(7_000_000), Stream.STDERR, 18, AT, Blob.ofUtf8("last")));
        append(chunks);

        assertThat(read(0, 1000)).isEqualTo(chunks);
        assertThat(read(8, 1000)).isEqualTo(chunks.subList(1, 4));
        assertThat(end()).isEqualTo(22);
    }

    @Test
    void readsBeyondTheOutputAreEmpty() {
        assertThat(read(0, 1000)).isEmpty();
        assertThat(end()).isZero();
        append(List.of(chunk(1, 0, "x")));
        assertThat(read(1, 1000)).isEmpty();
    }

    @Test
    void readingStartsWithTheChunkThatHoldsTheOffset() {
        append(List.of(chunk(1, 0, "0123"), chunk(1, 4, "4567"), chunk(1, 20, "later")));

        assertThat(read(3, 1000)).extracting(OutputChunk::offset).containsExactly(0L, 4L, 20L);
        assertThat(read(4, 1000)).extracting(OutputChunk::offset).containsExactly(4L, 20L);
        assertThat(read(9, 1000)).extracting(OutputChunk::offset).containsExactly(20L);
    }

    @Test
    void readsAreLimitedInSizeButReturnAtLeastOneChunk() {
        append(List.of(chunk(1, 0, "0123"), chunk(1, 4, "4567"), chunk(1, 8, "89")));

        assertThat(read(0, 1)).hasSize(1);
        assertThat(read(0, 8)).hasSize(2);
        assertThat(read(0, 9)).hasSize(2);
        assertThat(read(0, 10)).hasSize(3);
    }

    @Test
    void appendingAgainChangesNothing() {
        assertThat(append(List.of(chunk(1, 0, "first")))).isEqualTo(Appended.WHOLE);
        assertThat(append(List.of(chunk(1, 0, "other"), chunk(1, 5, "next")))).isEqualTo(Appended.IN_PART);
        assertThat(append(List.of(chunk(1, 5, "next")))).isEqualTo(Appended.IN_PART);
        assertThat(append(List.of(chunk(1, 9, "a"), chunk(1, 10, "b")))).isEqualTo(Appended.WHOLE);

        assertThat(text(read(0, 1000))).isEqualTo("firstnextab");
    }

    @Test
    void anOverlappingChunkChangesNothing() {
        append(List.of(chunk(1, 0, "0123"), chunk(1, 10, "abcd")));

        append(List.of(chunk(1, 2, "XX"), chunk(1, 8, "XXX"), chunk(1, 9, "XXXXXXX"), chunk(1, 13, "X")));

        assertThat(text(read(0, 1000))).isEqualTo("0123abcd");
    }

    @Test
    void anAttemptWithASuccessorCannotWrite() {
        append(List.of(chunk(1, 0, "first"), chunk(2, 5, "second")));

        append(List.of(chunk(1, 11, "zombie"), chunk(1, 500, "zombie")));

        assertThat(text(read(0, 1000))).isEqualTo("firstsecond");
    }

    @Test
    void lateOutputOfAnEarlierAttemptIsDroppedOnceItsSuccessorHasBegun() {
        append(List.of(chunk(1, 0, "first")));

        assertThat(begin(2)).isEqualTo(5);
        assertThat(begin(2)).isEqualTo(5);
        assertThat(append(List.of(chunk(1, 5, "zombie")))).isEqualTo(Appended.IN_PART);
        assertThat(append(List.of(chunk(2, 5, "second")))).isEqualTo(Appended.WHOLE);
        append(List.of(chunk(2, 5, "second"), chunk(2, 11, "more")));

        assertThat(text(read(0, 1000))).isEqualTo("firstsecondmore");
        assertThat(begin(3)).isEqualTo(15);
        append(List.of(chunk(2, 15, "zombie")));
        append(List.of(chunk(3, 15, "third")));
        assertThat(text(read(0, 1000))).isEqualTo("firstsecondmorethird");
        assertThat(end()).isEqualTo(20);
    }

    /** Whatever overtakes what: nothing of the earlier attempt lies where the later one begins. */
    @Test
    void anAttemptThatBeginsWhileAnEarlierOneWritesLosesNothing() {
        for (int round = 1; round <= 20; round++) {
            long end = end();
            List<CompletionStage<Appended>> writes = new ArrayList<>();
            for (int at = 0; at < 3; at++) {
                writes.add(output.append(run, List.of(chunk(round, end + at, "z"))));
            }
            CompletionStage<Long> begun = output.begin(run, round + 1);
            writes.forEach(write -> write.toCompletableFuture().join());
            long from = begun.toCompletableFuture().join();

            assertThat(append(List.of(chunk(round + 1, from, "next")))).isEqualTo(Appended.WHOLE);
            assertThat(end()).isEqualTo(from + 4);
        }
    }

    @Test
    void anAttemptCanBeginWithoutEarlierOutput() {
        assertThat(begin(2)).isZero();

        append(List.of(chunk(1, 0, "zombie")));
        assertThat(end()).isZero();
        assertThat(read(0, 1000)).isEmpty();
        append(List.of(chunk(2, 0, "second"), chunk(2, 6, "more")));

        assertThat(text(read(0, 1000))).isEqualTo("secondmore");
        assertThat(text(read(6, 1000))).isEqualTo("more");
        assertThat(end()).isEqualTo(10);
    }

    @Test
    void tenMebibytesAreReadPieceByPiece() {
        byte[] piece = new byte[64 << 10];
        List<OutputChunk> chunks = new ArrayList<>();
        for (int i = 0; i < 160; i++) {
            chunks.add(
                    new OutputChunk(1, ProcessId.COMMAND, Stream.STDOUT, (long) i * piece.length, AT, Blob.of(piece)));
        }
        append(chunks);

        long offset = 0;
        int reads = 0;
        for (List<OutputChunk> got = read(0, 1 << 20); !got.isEmpty(); got = read(offset, 1 << 20)) {
            OutputChunk last = got.get(got.size() - 1);
            offset = last.offset() + last.data().length();
            reads++;
        }
        assertThat(offset).isEqualTo(10 << 20);
        assertThat(reads).isEqualTo(10);
    }

    private OutputChunk chunk(int attempt, long offset, String text) {
        return new OutputChunk(attempt, ProcessId.COMMAND, Stream.STDOUT, offset, AT, Blob.ofUtf8(text));
    }

    private Appended append(List<OutputChunk> chunks) {
        return output.append(run, chunks).toCompletableFuture().join();
    }

    private long begin(int attempt) {
        return output.begin(run, attempt).toCompletableFuture().join();
    }

    private List<OutputChunk> read(long from, int max) {
        return output.read(run, from, max).toCompletableFuture().join();
    }

    private long end() {
        return output.end(run).toCompletableFuture().join();
    }

    private static String text(List<OutputChunk> chunks) {
        StringBuilder text = new StringBuilder();
        chunks.forEach(
                chunk -> text.append(new String(chunk.data().toByteArray(), java.nio.charset.StandardCharsets.UTF_8)));
        return text.toString();
    }
}
