package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutputBufferTest {
    private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void piecesOfOneStreamAreJoinedAndNumbered() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 1_000);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("one "), AT);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("two"), AT);
        buffer.add(ProcessId.COMMAND, Stream.STDERR, Blob.ofUtf8("oops"), AT);

        List<OutputChunk> chunks = buffer.drain();

        assertThat(chunks)
                .containsExactly(
                        new OutputChunk(
                                1, ProcessId.COMMAND, OutputChunkView.Stream.STDOUT, 0, AT, Blob.ofUtf8("one two")),
                        new OutputChunk(
                                1, ProcessId.COMMAND, OutputChunkView.Stream.STDERR, 7, AT, Blob.ofUtf8("oops")));
        assertThat(buffer.end()).isEqualTo(11);
        assertThat(buffer.isEmpty()).isTrue();
    }

    @Test
    void outputIsCutOffAtTheLimit() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 5);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("1234567"), AT);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("89"), AT);

        List<OutputChunk> chunks = buffer.drain();

        assertThat(chunks).extracting(OutputChunk::data).containsExactly(Blob.ofUtf8("12345"));
        assertThat(buffer.keptBytes()).isEqualTo(5);
    }

    @Test
    void aFurtherAttemptContinuesTheSequence() {
        OutputBuffer buffer = new OutputBuffer(2, 40, 1_000);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("again"), AT);

        assertThat(buffer.drain()).extracting(OutputChunk::offset).containsExactly(40L);
    }

    @Test
    void allAttemptsOfARunShareItsLimit() {
        OutputBuffer buffer = new OutputBuffer(2, 7, 10);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("12345"), AT);

        assertThat(buffer.drain()).extracting(OutputChunk::data).containsExactly(Blob.ofUtf8("123"));
        assertThat(buffer.end()).isEqualTo(10);
        assertThat(buffer.keptBytes()).isEqualTo(3);
    }

    @Test
    void processesShareOneSequenceAndTheLimitAndKeepTheirNames() {
        ProcessId second = new ProcessId(2);
        OutputBuffer buffer = new OutputBuffer(1, 0, 10);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("one "), AT);
        buffer.add(second, Stream.STDOUT, Blob.ofUtf8("two "), AT);
        buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.ofUtf8("three"), AT);

        assertThat(buffer.drain())
                .containsExactly(
                        new OutputChunk(
                                1, ProcessId.COMMAND, OutputChunkView.Stream.STDOUT, 0, AT, Blob.ofUtf8("one ")),
                        new OutputChunk(1, second, OutputChunkView.Stream.STDOUT, 4, AT, Blob.ofUtf8("two ")),
                        new OutputChunk(1, ProcessId.COMMAND, OutputChunkView.Stream.STDOUT, 8, AT, Blob.ofUtf8("th")));
    }

    @Test
    void chunksStayWithinTheirSize() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 1_000_000);
        for (int i = 0; i < 5; i++) {
            buffer.add(ProcessId.COMMAND, Stream.STDOUT, Blob.of(new byte[40_000]), AT);
        }

        assertThat(buffer.drain())
                .hasSize(5)
                .allSatisfy(chunk -> assertThat(chunk.data().length()).isLessThanOrEqualTo(64 * 1024));
    }
}
