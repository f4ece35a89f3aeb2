package dev.vivarium.node.http.server.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.util.ByteString;
import org.apache.pekko.util.ByteStringBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A connection of HTTP/2, frame by frame: what is served, and what hostile clients come to. */
class SessionTest {
    private static final int STREAMS_MAX = 10;
    private static final ByteString NOTHING = ByteString.emptyByteString();
    private static final int ENDS = Frame.END_HEADERS | Frame.END_STREAM;

    private final List<Integer> opened = new ArrayList<>();
    private final List<Integer> ended = new ArrayList<>();
    private final List<Integer> unread = new ArrayList<>();
    private long now;
    private Session session;

    @BeforeEach
    void aConnectionThatHasBegun() {
        session = new Session(
                STREAMS_MAX,
                Duration.ofSeconds(2),
                new Session.Streams() {
                    @Override
                    public void opened(int stream) {
                        opened.add(stream);
                    }

                    @Override
                    public void arrived(int stream) {}

                    @Override
                    public void room(int stream) {}

                    @Override
                    public void unread(int stream) {
                        unread.add(stream);
                    }

                    @Override
                    public void read(int stream) {}

                    @Override
                    public void ended(int stream) {
                        ended.add(stream);
                    }
                },
                () -> now);
        session.received(FrameReader.PREFACE);
        send(Frame.SETTINGS, 0, 0, NOTHING);
        assertThat(sent()).extracting(Frame::type).containsExactly(Frame.SETTINGS, Frame.SETTINGS);
    }

    @Test
    void aRequestIsPassedOnAsHttp11AndItsAnswerBack() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST", new Header("content-length", "2")));
        send(Frame.DATA, Frame.END_STREAM, 1, ByteString.fromString("{}"));

        assertThat(session.take(1).utf8String())
                .isEqualTo(
                        "POST /v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nconnection: close\r\n\r\n");
        assertThat(session.take(1).utf8String()).isEqualTo("{}");

        session.answer(1, ByteString.fromString("HTTP/1.1 100 Continue\r\n\r\n"));
        session.answer(
                1, ByteString.fromString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"));
        session.answer(1, ByteString.fromString("Checked: yes\r\n\r\n"));

        List<Frame> frames = sent();
        assertThat(frames)
                .extracting(Frame::type)
                .containsExactly(Frame.HEADERS, Frame.HEADERS, Frame.DATA, Frame.HEADERS);
        assertThat(frames.get(2).payload().utf8String()).isEqualTo("abc");
        assertThat(frames.get(3).has(Frame.END_STREAM)).isTrue();
        assertThat(ended).containsExactly(1);
    }

    @Test
    void aBodyWithoutALengthIsPassedOnInChunks() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST"));
        send(Frame.DATA, 0, 1, ByteString.fromString("abc"));
        send(Frame.HEADERS, ENDS, 1, HeaderBlocks.written(List.of(new Header("trailer", "x"))));

        assertThat(session.take(1).utf8String()).contains("transfer-encoding: chunked\r\n");
        assertThat(session.take(1).utf8String()).isEqualTo("3\r\nabc\r\n0\r\n\r\n");
    }

    @Test
    void anAnswerToHeadHasNoContent() {
        send(Frame.HEADERS, ENDS, 1, head("HEAD"));
        session.answer(1, ByteString.fromString("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"));

        assertThat(sent()).singleElement().satisfies(frame -> assertThat(frame.has(Frame.END_STREAM))
                .isTrue());
    }

    @ParameterizedTest
    @CsvSource({
        "connection, close",
        "transfer-encoding, chunked",
        "te, gzip",
        "Upper, case",
        "a b, x",
        "host, elsewhere",
        "content-length, -1",
        ":path, /twice",
        ":status, 200"
    })
    void aHeadThatHttp11CouldReadAsSomethingElseIsRefused(String name, String value) {
        send(Frame.HEADERS, ENDS, 1, head("GET", new Header(name, value)));

        assertThat(opened).isEmpty();
        assertThat(resets()).containsExactly(ErrorCode.PROTOCOL_ERROR);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nb: c", "a\nb", "a\0b", " a", "a "})
    void noValueEndsItsLine(String value) {
        send(Frame.HEADERS, ENDS, 1, head("GET", new Header("x", value)));

        assertThat(opened).isEmpty();
        assertThat(resets()).containsExactly(ErrorCode.PROTOCOL_ERROR);
    }

    @Test
    void aBodyThatIsNotAsLongAsItSaysIsRefused() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST", new Header("content-length", "2")));
        send(Frame.DATA, 0, 1, ByteString.fromString("{} GET / HTTP/1.1"));

        assertThat(resets()).containsExactly(ErrorCode.PROTOCOL_ERROR);
        assertThat(ended).containsExactly(1);
    }

    @Test
    void streamsBeyondTheMostAreRefused() {
        for (int stream = 0; stream <= STREAMS_MAX; stream++) {
            send(Frame.HEADERS, ENDS, 2 * stream + 1, head("GET"));
        }

        assertThat(opened).hasSize(STREAMS_MAX);
        assertThat(resets()).containsExactly(ErrorCode.REFUSED_STREAM);
    }

    /** CVE-2023-44487. */
    @Test
    void streamsThatAreOpenedAndResetEndTheConnection() {
        for (int stream = 1; session.failure().isEmpty() && stream < 10_000; stream += 2) {
            send(Frame.HEADERS, ENDS, stream, head("GET"));
            send(Frame.RST_STREAM, 0, stream, number(ErrorCode.CANCEL.number()));
        }

        assertThat(goAway()).contains(ErrorCode.ENHANCE_YOUR_CALM);
        assertThat(opened).hasSizeBetween(50, 101).isEqualTo(ended);
    }

    @Test
    void someThatAreGivenUpNowAndThenDoNot() {
        for (int stream = 1; stream < 2_000; stream += 2) {
            send(Frame.HEADERS, ENDS, stream, head("GET"));
            send(Frame.RST_STREAM, 0, stream, number(ErrorCode.CANCEL.number()));
            now += TimeUnit.MILLISECONDS.toNanos(100);
        }

        assertThat(session.failure()).isEmpty();
    }

    /** CVE-2025-8671: a client has the server reset streams. */
    @Test
    void aFrameThatWouldResetAStreamEndsTheConnection() {
        send(Frame.HEADERS, ENDS, 1, head("GET"));
        send(Frame.WINDOW_UPDATE, 0, 1, number(0));

        assertThat(goAway()).contains(ErrorCode.PROTOCOL_ERROR);
        assertThat(ended).containsExactly(1);
    }

    /** CVE-2024-27316. */
    @Test
    void aHeadWithoutAnEndEndsTheConnection() {
        send(Frame.HEADERS, 0, 1, NOTHING);
        for (int frame = 0; frame < 20; frame++) {
            send(Frame.CONTINUATION, 0, 1, NOTHING);
        }

        assertThat(goAway()).contains(ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void aHeadThatUnpacksToMoreThanItsLimitIsAnsweredWith431() {
        ByteStringBuilder bomb = new ByteStringBuilder().append(head("GET"));
        // A line of 4,000 bytes into the table, and then a byte for each time that it is meant.
        bomb.append(ByteString.fromInts(0x3f, 0xe1, 0x1f));
        bomb.append(ByteString.fromInts(0x40, 1, 'a', 0x7f, 0xa1, 0x1e))
                .append(ByteString.fromString("x".repeat(4_000)));
        bomb.append(ByteString.fromArray("\u00be".repeat(10_000).getBytes(StandardCharsets.ISO_8859_1)));
        send(Frame.HEADERS, ENDS, 1, headWithTable(bomb.result()));

        assertThat(opened).isEmpty();
        assertThat(resets()).containsExactly(ErrorCode.NO_ERROR);
    }

    /** A change of the table's size comes first. */
    private static ByteString headWithTable(ByteString block) {
        ByteString withoutTable = head("GET");
        return ByteString.fromInts(0x3f, 0xe1, 0x1f)
                .concat(withoutTable.drop(1))
                .concat(block.drop(withoutTable.size() + 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {Frame.PING, Frame.SETTINGS, Frame.PRIORITY, 0x77})
    void aFloodOfFramesThatCarryNothingEndsTheConnection(int type) {
        int bytes = type == Frame.PING ? 8 : type == Frame.PRIORITY ? 5 : 0;
        for (int frame = 0; frame < 5_000; frame++) {
            send(type, 0, type == Frame.PRIORITY ? 1 : 0, ByteString.fromArray(new byte[bytes]));
        }

        assertThat(goAway()).contains(ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void nothingIsReadWhileItsAnswersWait() {
        int pings = 0;
        while (session.mayRead() && pings < 100_000) {
            send(Frame.PING, 0, 0, ByteString.fromArray(new byte[8]));
            now += TimeUnit.MILLISECONDS.toNanos(10);
            pings++;
        }

        assertThat(session.failure()).isEmpty();
        assertThat(pings * 17).isLessThan(70_000);
    }

    @Test
    void emptyBodiesWithoutAnEndEndTheConnection() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST"));
        for (int frame = 0; frame < 5_000; frame++) {
            send(Frame.DATA, 0, 1, NOTHING);
        }

        assertThat(goAway()).contains(ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void aBodyThatNobodyTakesIsAsLargeAsTheWindow() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST"));
        for (int frame = 0; frame < 5; frame++) {
            send(Frame.DATA, 0, 1, ByteString.fromArray(new byte[Frame.PAYLOAD_BYTES_MAX]));
        }

        assertThat(goAway()).contains(ErrorCode.FLOW_CONTROL_ERROR);
    }

    @Test
    void aCallersBodyHasAWiderWindow() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST"));
        session.known();
        session.take(1);
        send(Frame.DATA, 0, 1, ByteString.fromArray(new byte[Frame.PAYLOAD_BYTES_MAX]));
        send(Frame.DATA, 0, 1, ByteString.fromArray(new byte[Frame.PAYLOAD_BYTES_MAX]));
        send(Frame.DATA, 0, 1, ByteString.fromArray(new byte[Frame.PAYLOAD_BYTES_MAX]));
        session.take(1);

        assertThat(sent())
                .filteredOn(frame -> frame.type() == Frame.WINDOW_UPDATE && frame.stream() == 1)
                .singleElement()
                .satisfies(frame -> assertThat(frame.unsigned(0)).isGreaterThan(900_000));
    }

    @Test
    void aClientThatTakesAByteAtATimeEndsItsConnection() {
        ByteStringBuilder window = new ByteStringBuilder();
        window.putShort(4, ByteOrder.BIG_ENDIAN).putInt(0, ByteOrder.BIG_ENDIAN);
        send(Frame.SETTINGS, 0, 0, window.result());
        send(Frame.HEADERS, ENDS, 1, head("GET"));
        session.answer(
                1, ByteString.fromString("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(50_000)));
        sent();
        assertThat(unread).containsExactly(1);

        for (int frame = 0; frame < 5_000 && session.failure().isEmpty(); frame++) {
            send(Frame.WINDOW_UPDATE, 0, 1, number(1));
            sent();
        }

        assertThat(session.failure()).map(ConnectionError::code).contains(ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void windowsThatOverflowEndTheConnection() {
        send(Frame.WINDOW_UPDATE, 0, 0, number(Frame.MAX_31_BITS));

        assertThat(goAway()).contains(ErrorCode.FLOW_CONTROL_ERROR);
    }

    @Test
    void aFrameLargerThanAllowedEndsTheConnectionBeforeItArrives() {
        session.received(ByteString.fromInts(0x00, 0x40, 0x01, 0, 0, 0, 0, 0, 1));

        assertThat(goAway()).contains(ErrorCode.FRAME_SIZE_ERROR);
    }

    @Test
    void aRequestThatDoesNotEndThoughItIsAnsweredIsGivenUp() {
        send(Frame.HEADERS, Frame.END_HEADERS, 1, head("POST"));
        session.answer(1, ByteString.fromString("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"));
        assertThat(sent()).singleElement().satisfies(frame -> assertThat(frame.has(Frame.END_STREAM))
                .isTrue());
        now += TimeUnit.SECONDS.toNanos(3);
        session.look();

        assertThat(goAway()).contains(ErrorCode.NO_ERROR);
        assertThat(session.isOver()).isTrue();
    }

    @Test
    void aConnectionThatLeavesAnswersWhatItHasAndRefusesTheRest() {
        send(Frame.HEADERS, ENDS, 1, head("GET"));
        session.leave();
        send(Frame.HEADERS, ENDS, 3, head("GET"));
        assertThat(opened).containsExactly(1);
        assertThat(session.isOver()).isFalse();

        session.answer(1, ByteString.fromString("HTTP/1.1 204 No Content\r\n\r\n"));

        assertThat(goAway()).contains(ErrorCode.NO_ERROR);
        assertThat(session.isOver()).isTrue();
    }

    @Test
    void textThatIsNoHttp2EndsTheConnection() {
        session = new Session(STREAMS_MAX, Duration.ZERO, noStreams(), () -> now);
        session.received(ByteString.fromString("GET / HTTP/1.1\r\n\r\n"));

        assertThat(goAway()).contains(ErrorCode.PROTOCOL_ERROR);
    }

    private static Session.Streams noStreams() {
        return new Session.Streams() {
            @Override
            public void opened(int stream) {}

            @Override
            public void arrived(int stream) {}

            @Override
            public void room(int stream) {}

            @Override
            public void unread(int stream) {}

            @Override
            public void read(int stream) {}

            @Override
            public void ended(int stream) {}
        };
    }

    private static ByteString head(String method, Header... more) {
        List<Header> lines = new ArrayList<>(List.of(
                new Header(":method", method),
                new Header(":scheme", "https"),
                new Header(":path", "/v1/runs"),
                new Header(":authority", "localhost")));
        lines.addAll(List.of(more));
        return HeaderBlocks.written(lines);
    }

    private static ByteString number(int value) {
        return new ByteStringBuilder().putInt(value, ByteOrder.BIG_ENDIAN).result();
    }

    private void send(int type, int flags, int stream, ByteString payload) {
        ByteStringBuilder out = new ByteStringBuilder();
        new Frame(type, flags, stream, payload).writeTo(out);
        session.received(out.result());
    }

    private List<Frame> sent() {
        FrameReader reader = new FrameReader();
        reader.add(FrameReader.PREFACE);
        List<Frame> frames = new ArrayList<>();
        try {
            for (ByteString bytes = session.toSend(1 << 15); !bytes.isEmpty(); bytes = session.toSend(1 << 15)) {
                reader.add(bytes);
            }
            for (Optional<Frame> next = reader.next(); next.isPresent(); next = reader.next()) {
                frames.add(next.get());
            }
        } catch (ConnectionError ours) {
            throw new AssertionError(ours);
        }
        return frames;
    }

    private List<ErrorCode> resets() {
        return sent().stream()
                .filter(frame -> frame.type() == Frame.RST_STREAM)
                .map(frame -> code(frame, 0))
                .toList();
    }

    private static ErrorCode code(Frame frame, int offset) {
        return Arrays.stream(ErrorCode.values())
                .filter(code -> code.number() == frame.unsigned(offset))
                .findFirst()
                .orElseThrow();
    }

    private Optional<ErrorCode> goAway() {
        return sent().stream()
                .filter(frame -> frame.type() == Frame.GOAWAY)
                .map(frame -> code(frame, 4))
                .findFirst();
    }
}
