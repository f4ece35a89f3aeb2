package dev.vivarium.protocol.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class GuestCodecPropertyTest {
    @Property(tries = 300)
    void nodeFramesSurviveTheWayHoweverTheyAreChunked(
            @ForAll("nodeFrames") List<NodeFrame> frames, @ForAll Random chunking) {
        List<NodeFrame> arrived =
                decode(GuestCodec.nodeFrames(), inChunks(joined(frames, GuestCodec::encode), chunking));

        assertThat(arrived).isEqualTo(frames);
    }

    @Property(tries = 300)
    void guestFramesSurviveTheWayHoweverTheyAreChunked(
            @ForAll("guestFrames") List<GuestFrame> frames, @ForAll Random chunking) {
        List<GuestFrame> arrived =
                decode(GuestCodec.guestFrames(), inChunks(joined(frames, GuestCodec::encode), chunking));

        assertThat(arrived).isEqualTo(frames);
    }

    @Property(tries = 500)
    void arbitraryBytesDecodeToFramesOrAreMalformed(@ForAll byte[] noise, @ForAll Random chunking) {
        acceptsOrRefuses(GuestCodec.guestFrames(), inChunks(noise, chunking));
        acceptsOrRefuses(GuestCodec.nodeFrames(), inChunks(noise, chunking));
    }

    @Property(tries = 500)
    void arbitraryPayloadsOfEachTypeAreFramesOrMalformedAndNothingElse(
            @ForAll byte[] payload, @ForAll("types") int type, @ForAll Random chunking) {
        byte[] framed = ByteBuffer.allocate(5 + payload.length)
                .putInt(1 + payload.length)
                .put((byte) type)
                .put(payload)
                .array();

        acceptsOrRefuses(GuestCodec.guestFrames(), inChunks(framed, chunking));
        acceptsOrRefuses(GuestCodec.nodeFrames(), inChunks(framed, chunking));
    }

    @Property(tries = 500)
    void aDamagedFrameIsAFrameOrMalformedAndNothingElse(
            @ForAll("nodeFrames") List<NodeFrame> frames, @ForAll Random damage) {
        byte[] bytes = joined(frames, GuestCodec::encode);
        if (bytes.length > 0) {
            bytes[damage.nextInt(bytes.length)] ^= (byte) (1 << damage.nextInt(8));
        }

        acceptsOrRefuses(GuestCodec.nodeFrames(), inChunks(bytes, damage));
    }

    @Property(tries = 2000)
    void damagedFramesDecodeToFramesOrAreMalformed(
            @ForAll("guestFrames") List<GuestFrame> frames, @ForAll Random damage) {
        byte[] bytes = joined(frames, GuestCodec::encode);
        for (int change = damage.nextInt(4); change > 0 && bytes.length > 0; change--) {
            bytes = damaged(bytes, damage);
        }

        acceptsOrRefuses(GuestCodec.guestFrames(), inChunks(bytes, damage));
    }

    /** Changes a byte, drops bytes, or repeats bytes. */
    private static byte[] damaged(byte[] bytes, Random damage) {
        int at = damage.nextInt(bytes.length);
        int count = Math.min(bytes.length - at, 1 + damage.nextInt(8));
        return switch (damage.nextInt(3)) {
            case 0 -> {
                bytes[at] = (byte) damage.nextInt();
                yield bytes;
            }
            case 1 -> ByteBuffer.allocate(bytes.length - count)
                    .put(bytes, 0, at)
                    .put(bytes, at + count, bytes.length - at - count)
                    .array();
            default -> ByteBuffer.allocate(bytes.length + count)
                    .put(bytes, 0, at + count)
                    .put(bytes, at, bytes.length - at)
                    .array();
        };
    }

    @Provide
    Arbitrary<List<NodeFrame>> nodeFrames() {
        return Frames.ofNode().list().ofMaxSize(8);
    }

    @Provide
    Arbitrary<List<GuestFrame>> guestFrames() {
        return Frames.ofGuest().list().ofMaxSize(8);
    }

    @Provide
    Arbitrary<Integer> types() {
        return Arbitraries.oneOf(
                Arbitraries.integers().between(0x01, 0x0a),
                Arbitraries.integers().between(0x81, 0x8c),
                Arbitraries.integers().between(0, 255));
    }

    private static <F> void acceptsOrRefuses(FrameDecoder<F> decoder, List<ByteBuffer> chunks) {
        try {
            decode(decoder, chunks);
        } catch (MalformedFrameException refused) {
            assertThat(refused).message().endsWith(".");
        }
    }

    private static <F> List<F> decode(FrameDecoder<F> decoder, List<ByteBuffer> chunks) {
        List<F> frames = new ArrayList<>();
        chunks.forEach(chunk -> decoder.decode(chunk, frames::add));
        return frames;
    }

    private static <F> byte[] joined(List<F> frames, Function<F, ByteBuffer> encoder) {
        List<ByteBuffer> encoded = frames.stream().map(encoder).toList();
        ByteBuffer joined = ByteBuffer.allocate(
                encoded.stream().mapToInt(ByteBuffer::remaining).sum());
        encoded.forEach(joined::put);
        return joined.array();
    }

    private static List<ByteBuffer> inChunks(byte[] bytes, Random chunking) {
        List<ByteBuffer> chunks = new ArrayList<>();
        int most = 1 + chunking.nextInt(1 + bytes.length);
        for (int from = 0; from < bytes.length; ) {
            int length = Math.min(bytes.length - from, 1 + chunking.nextInt(most));
            chunks.add(ByteBuffer.wrap(bytes, from, length));
            from += length;
        }
        return chunks;
    }
}
