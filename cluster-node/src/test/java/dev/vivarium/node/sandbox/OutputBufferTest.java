package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutputBufferTest {
    private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void piecesOfOneStreamAreJoinedAndNumbered() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 1_000);
        buffer.add(Stream.STDOUT, Blob.ofUtf8("one "), AT);
        buffer.add(Stream.STDOUT, Blob.ofUtf8("two"), AT);
        buffer.add(Stream.STDERR, Blob.ofUtf8("oops"), AT);

        OutputBuffer.Batch batch = buffer.drain();

        assertThat(batch.chunks())
                .containsExactly(
                        new OutputChunk(1, OutputChunkView.Stream.STDOUT, 0, AT, Blob.ofUtf8("one two")),
                        new OutputChunk(1, OutputChunkView.Stream.STDERR, 7, AT, Blob.ofUtf8("oops")));
        assertThat(batch.credit()).isEqualTo(Map.of(Stream.STDOUT, 7, Stream.STDERR, 4));
        assertThat(batch.end()).isEqualTo(11);
        assertThat(buffer.isEmpty()).isTrue();
    }

    @Test
    void outputIsCutOffAtTheLimitAndItsCreditIsGivenBackAllTheSame() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 5);
        buffer.add(Stream.STDOUT, Blob.ofUtf8("1234567"), AT);
        buffer.add(Stream.STDOUT, Blob.ofUtf8("89"), AT);

        OutputBuffer.Batch batch = buffer.drain();

        assertThat(batch.chunks()).extracting(OutputChunk::data).containsExactly(Blob.ofUtf8("12345"));
        assertThat(batch.credit()).isEqualTo(Map.of(Stream.STDOUT, 9));
        assertThat(buffer.keptBytes()).isEqualTo(5);
    }

    @Test
    void aFurtherAttemptContinuesBehindTheOneBefore() {
        OutputBuffer buffer = new OutputBuffer(2, 40, 1_000);
        buffer.add(Stream.STDOUT, Blob.ofUtf8("again"), AT);

        assertThat(buffer.drain().chunks()).extracting(OutputChunk::offset).containsExactly(40L);
    }

    @Test
    void chunksStayWithinTheirSize() {
        OutputBuffer buffer = new OutputBuffer(1, 0, 1_000_000);
        for (int i = 0; i < 5; i++) {
            buffer.add(Stream.STDOUT, Blob.of(new byte[40_000]), AT);
        }

        assertThat(buffer.drain().chunks())
                .hasSize(5)
                .allSatisfy(chunk -> assertThat(chunk.data().length()).isLessThanOrEqualTo(64 * 1024));
    }
}
