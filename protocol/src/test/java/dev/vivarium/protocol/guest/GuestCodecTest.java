package dev.vivarium.protocol.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.guest.NodeFrame.Resource;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.TerminalSize;
import dev.vivarium.protocol.run.Blob;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestCodecTest {
    @Test
    void aSpawnIsEncodedAsSpecified() {
        NodeFrame spawn = new NodeFrame.Spawn(
                1,
                List.of("a", ""),
                Map.of("K", "v=w"),
                "/",
                2,
                3,
                Map.of(Resource.NPROC, 9L),
                Optional.of(new TerminalSize(24, 80)),
                4096);

        assertThat(hex(GuestCodec.encode(spawn)))
                .isEqualTo("00000042" + "03" + "00000001" + "00000002" + "00000003" + "00001000"
                        + "01" + "0018" + "0050"
                        + "00000001" + "2f"
                        + "00000002" + "00000001" + "61" + "00000000"
                        + "00000001" + "00000005" + "4b3d763d77"
                        + "00000001" + "06" + "0000000000000009");
    }

    @Test
    void foldersAndLinksAreEncodedAsSpecified() {
        assertThat(hex(GuestCodec.encode(new NodeFrame.MakeFolder(7, "/a", 0750, 2, 3))))
                .isEqualTo("00000017" + "0b" + "00000007" + "000001e8" + "00000002" + "00000003" + "00000002" + "2f61");
        assertThat(hex(GuestCodec.encode(new NodeFrame.MakeLink(7, "/a", NodeFrame.LinkKind.HARD, "/b", 2, 3))))
                .isEqualTo("0000001a" + "0c" + "00000007" + "00000002" + "00000003" + "01" + "00000002" + "2f61"
                        + "00000002" + "2f62");
    }

    @Test
    void printingASpawnDoesNotRevealTheValuesOfItsEnvironment() {
        NodeFrame spawn = new NodeFrame.Spawn(
                1, List.of("agent"), Map.of("TOKEN", "hush"), "/", 2, 3, Map.of(), Optional.empty(), 4096);

        assertThat(spawn.toString()).contains("agent").contains("TOKEN").doesNotContain("hush");
    }

    @ParameterizedTest
    @CsvSource({
        "0000000581" + "00000004, Hello[protocolVersion=4]",
        "0000000a83" + "00000007" + "02" + "00000002 , 'SpawnFailed[process=7, stage=EXEC, errno=2]'",
        "0000000784" + "00000007" + "01" + "61 , 'Output[process=7, stream=STDERR, data=Blob(1 bytes)]'",
        "0000000686" + "00000007" + "ff , 'Exited[process=7, exitCode=255]'",
        "0000000989" + "00000007" + "0000001c , 'Done[request=7, errno=28]'",
        "000000018a , AllGone[]",
        "000000158d" + "00000001" + "00000000" + "01" + "0000000000000007"
                + "020161 , 'FolderListed[request=1, errno=0,"
                + " place=OptionalLong[7], entries=[Entry[kind=LINK, name=Blob(1 bytes)]]]'",
        "000000168e" + "00000001" + "00000000" + "000001a4" + "0000000000000009" + "61 , 'FileRead[request=1, errno=0,"
                + " mode=420, size=9, data=Blob(1 bytes)]'",
        "000000128b" + "00000004" + "6469736b" + "0000000000001000"
                + "01 , 'Use[limit=disk, amount=4096, pressure=FULL]'",
    })
    void framesOfTheGuestAreDecodedAsSpecified(String wire, String expected) {
        assertThat(fromGuest(wire).toString()).isEqualTo("[" + expected + "]");
    }

    @ParameterizedTest
    @CsvSource({
        "00000000, announces 0 bytes",
        "00010041, announces 65601 bytes",
        "ffffffff, announces 4294967295 bytes",
        "0000000101, type 0x1",
        "000000018f, type 0x8f",
        "000000148d" + "00000001" + "00000000" + "01" + "0000000000000007" + "0000, no folder can have",
        "000000168d" + "00000001" + "00000000" + "01" + "0000000000000007" + "00022e2e, no folder can have",
        "000000168d" + "00000001" + "00000000" + "01" + "0000000000000007" + "0002612f, no folder can have",
        "000000158d" + "00000001" + "00000000" + "01" + "0000000000000007" + "040161, choice 4 of 4",
        "000000158d" + "00000001" + "00000000" + "01" + "0000000000000007" + "000261, ends within a field",
        "000000138d" + "00000001" + "00000000" + "01" + "0000000000000007" + "00, ends within a field",
        "000000128b" + "00000004" + "68656174" + "000000000000100000, does not know",
        "0000000481000001, ends within a field",
        "00000006810000000100, 1 bytes after its last field",
        "00000005c1ffffffff, type 0xc1",
        "0000000581ffffffff, beyond 2147483647",
        "0000000a83000000070600000002, choice 6 of 6",
        "00000006840000000700, 1 to 65536 are allowed",
        "000000068500000007" + "02, choice 2 of 2",
        "000000068700000007" + "00, no signal 0",
        "000000068700000007" + "41, no signal 65",
    })
    void malformedBytesOfTheGuestAreRefusedWithASentence(String wire, String said) {
        assertThatThrownBy(() -> fromGuest(wire))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining(said)
                .hasMessageEndingWith(".");
    }

    @Test
    void framesBeforeAMalformedOneAreDeliveredAndNoneAfterIt() {
        FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
        List<GuestFrame> frames = new ArrayList<>();

        assertThatThrownBy(() -> decoder.decode(bytes("000000018a" + "00000000" + "000000018a"), frames::add))
                .isInstanceOf(MalformedFrameException.class);
        assertThatThrownBy(() -> decoder.decode(bytes("000000018a"), frames::add))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("before");

        assertThat(frames).containsExactly(new GuestFrame.AllGone());
    }

    @Test
    void theLargestFramesPassAndLargerOnesAreNotSent() {
        Blob output = Blob.of(new byte[GuestCodec.OUTPUT_LIMIT_BYTES]);
        Blob part = Blob.of(new byte[GuestCodec.FILE_PART_BYTES]);
        String longPath = "/" + "a".repeat(4095);

        assertThat(decoded(new GuestFrame.Output(1, Stream.STDOUT, output)).data())
                .isEqualTo(output);
        assertThat(GuestCodec.encode(new NodeFrame.WriteFile(1, longPath, 0600, 1, 1, 0, part))
                        .remaining())
                .isLessThan(GuestCodec.NODE_FRAME_LIMIT_BYTES);
        assertThatThrownBy(() ->
                        GuestCodec.encode(new NodeFrame.Stdin(1, Blob.of(new byte[GuestCodec.NODE_FRAME_LIMIT_BYTES]))))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("The frame is longer than 1048576 bytes.");
    }

    @Test
    void invalidArgumentsOfAProcessAreNotSent() {
        assertThatThrownBy(() -> GuestCodec.encode(spawn(List.of("a\0b"), Map.of())))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("command contains a NUL");
        assertThatThrownBy(() -> GuestCodec.encode(spawn(List.of("\ud800"), Map.of())))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("not valid Unicode");
        assertThatThrownBy(() -> GuestCodec.encode(spawn(List.of("a"), Map.of("A=B", "c"))))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("equals sign");
        assertThatThrownBy(() -> GuestCodec.encode(new NodeFrame.Signal(1, 65, NodeFrame.SignalScope.GROUP)))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("no signal 65");
        assertThatThrownBy(() -> GuestCodec.encode(new NodeFrame.Arm(-1)))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("deadline is -1");
    }

    /** A length costs an attacker four bytes; it must not make the node allocate more. */
    @Test
    void anAnnouncedLengthReservesNothing() {
        List<FrameDecoder<NodeFrame>> decoders = new ArrayList<>();
        long before = allocatedBytes();

        for (int i = 0; i < 1000; i++) {
            FrameDecoder<NodeFrame> decoder = GuestCodec.nodeFrames();
            decoder.decode(bytes("00100000" + "04"), frame -> {});
            decoders.add(decoder);
        }

        assertThat(allocatedBytes() - before).isLessThan(4L << 20);
        assertThat(decoders).hasSize(1000);
    }

    @Test
    void aHeaderThatAnnouncesFourGibibytesIsRefusedAndCostsNothing() {
        ByteBuffer header = bytes("ffffffff" + "84");
        FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
        long before = allocatedBytes();

        assertThatThrownBy(() -> decoder.decode(header, frame -> {})).isInstanceOf(MalformedFrameException.class);

        // The exception and the assertion's own objects; a buffer for even one frame would be larger.
        assertThat(allocatedBytes() - before).isLessThan(GuestCodec.GUEST_FRAME_LIMIT_BYTES);
    }

    /** A count is trusted only as far as the frame contains that many elements. */
    @Test
    void anAnnouncedCountReservesNothing() {
        String header = "00000001" + "00000001" + "00000001" + "00000001" + "00" + "0000" + "0000" + "00000001" + "2f";
        ThrowingCallable decoding =
                () -> GuestCodec.nodeFrames().decode(bytes("0000001f03" + header + "7fffffff"), frame -> {});
        // Once before the measurement, since the first refusal loads classes.
        assertThatThrownBy(decoding).isInstanceOf(MalformedFrameException.class);
        long before = allocatedBytes();

        assertThatThrownBy(decoding).isInstanceOf(MalformedFrameException.class);

        assertThat(allocatedBytes() - before).isLessThan(1 << 20);
    }

    @Test
    void aDecoderHoldsNoMoreThanOneFrame() {
        FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
        byte[] frame = GuestCodec.encode(
                        new GuestFrame.Output(1, Stream.STDOUT, Blob.of(new byte[GuestCodec.OUTPUT_LIMIT_BYTES])))
                .array();
        byte[] incomplete = Arrays.copyOf(frame, frame.length - 1);
        long before = allocatedBytes();

        decoder.decode(ByteBuffer.wrap(incomplete), ignored -> {});

        assertThat(allocatedBytes() - before).isLessThan(4 * GuestCodec.GUEST_FRAME_LIMIT_BYTES);
    }

    private static long allocatedBytes() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private static GuestFrame.Output decoded(GuestFrame.Output frame) {
        List<GuestFrame> frames = new ArrayList<>();
        GuestCodec.guestFrames().decode(GuestCodec.encode(frame), frames::add);
        return (GuestFrame.Output) frames.get(0);
    }

    private static NodeFrame spawn(List<String> argv, Map<String, String> env) {
        return new NodeFrame.Spawn(1, argv, env, "/", 1, 1, Map.of(), Optional.empty(), 0);
    }

    private static List<GuestFrame> fromGuest(String wire) {
        List<GuestFrame> frames = new ArrayList<>();
        GuestCodec.guestFrames().decode(bytes(wire), frames::add);
        return frames;
    }

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    }

    private static String hex(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return HexFormat.of().formatHex(copy);
    }
}
