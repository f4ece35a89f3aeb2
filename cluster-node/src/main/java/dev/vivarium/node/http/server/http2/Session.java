package dev.vivarium.node.http.server.http2;

import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.pekko.util.ByteString;
import org.apache.pekko.util.ByteStringBuilder;

/**
 * The server's side of one connection of HTTP/2 (RFC 9113), without what carries its bytes: what arrives is given to it, and what
 * is to be sent is asked of it. It keeps to the protocol strictly: what may end a stream or the connection ends the connection, so
 * that no client can have the node undo streams for nothing. Not thread-safe.
 */
final class Session {
    /** Of a head, as it is sent and as it is meant. */
    static final int HEAD_BYTES_MAX = 32 << 10;

    private static final int CONTINUATIONS_MAX = 8;
    /** Frames that wait to be sent, beyond which nothing more is read. */
    private static final int CONTROL_BYTES_MAX = 64 << 10;
    /** What the bodies of a connection with a known caller may take that nobody has taken yet. */
    private static final int CALLERS_WINDOW_BYTES = 1 << 20;
    /** For each frame that was sent, its client may say so often that it takes more. */
    private static final int UPDATES_FOR_ONE = 4;

    private static final int UPDATES_MAX = 10_000;
    /** A smaller one is the client's doing, when there is more to send. */
    private static final int SMALL_BYTES = 256;

    private static final int INITIAL_WINDOW_SIZE = 4;
    private static final int MAX_FRAME_SIZE = 5;
    private static final int SETTING_BYTES = 6;

    /** What the session tells of its streams. */
    interface Streams {
        /** A request's head is complete. */
        void opened(int stream);

        /** There is more to take of a request. */
        void arrived(int stream);

        /** There is room for more of an answer. */
        void room(int stream);

        /** Its client does not take its answer, since now. */
        void unread(int stream);

        /** Its client has taken all there was. */
        void read(int stream);

        /** It is over, in one way or the other. */
        void ended(int stream);
    }

    private final int streamsMax;
    private final Duration linger;
    private final Streams told;
    private final LongSupplier nanos;
    private final FrameReader frames = new FrameReader();
    private final HeaderBlocks heads = new HeaderBlocks(HEAD_BYTES_MAX);
    private final Patience patience;
    private final Map<Integer, Stream> streams = new LinkedHashMap<>();
    private final Deque<Stream> ready = new ArrayDeque<>();

    private ByteStringBuilder control = new ByteStringBuilder();
    private Optional<Block> block = Optional.empty();
    private boolean greeted;
    private boolean known;
    private boolean leaving;
    private Optional<ConnectionError> failed = Optional.empty();
    private int lastStream;
    private long quietSince;

    private int receiveWindow = Stream.WINDOW_BYTES;
    private long sendWindow = Stream.WINDOW_BYTES;
    private int initialSendWindow = Stream.WINDOW_BYTES;
    private int updatesAllowed;

    /** A head that has begun. */
    private record Block(int stream, boolean ends, ByteString bytes, int continuations) {
        Block with(ByteString more) throws ConnectionError {
            if (continuations >= CONTINUATIONS_MAX || bytes.size() + more.size() > HEAD_BYTES_MAX) {
                throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "A header block has no end.");
            }
            return new Block(stream, ends, bytes.concat(more), continuations + 1);
        }
    }

    /**
     * @param streamsMax requests in progress
     * @param linger how long the rest of a request is discarded after its answer
     * @param nanos a clock that never jumps
     */
    Session(int streamsMax, Duration linger, Streams told, LongSupplier nanos) {
        this.streamsMax = streamsMax;
        this.linger = linger;
        this.told = told;
        this.nanos = nanos;
        this.quietSince = nanos.getAsLong();
        this.patience = new Patience(quietSince);
        settings();
    }

    private void settings() {
        ByteStringBuilder payload = new ByteStringBuilder();
        setting(payload, 3, streamsMax);
        setting(payload, 6, HEAD_BYTES_MAX);
        send(new Frame(Frame.SETTINGS, 0, 0, payload.result()));
    }

    private static void setting(ByteStringBuilder out, int name, int value) {
        out.putShort(name, ByteOrder.BIG_ENDIAN).putInt(value, ByteOrder.BIG_ENDIAN);
    }

    // ---- from the network

    /** What the client sent. */
    void received(ByteString bytes) {
        if (failed.isPresent()) {
            return;
        }
        try {
            frames.add(bytes);
            for (Optional<Frame> frame = frames.next(); frame.isPresent(); frame = frames.next()) {
                take(frame.get());
            }
        } catch (ConnectionError error) {
            fail(error);
        }
    }

    private void take(Frame frame) throws ConnectionError {
        if (!greeted && (frame.type() != Frame.SETTINGS || frame.has(Frame.ACK))) {
            throw error(ErrorCode.PROTOCOL_ERROR, "The first frame must be SETTINGS.");
        }
        greeted = true;
        if (block.isPresent() != (frame.type() == Frame.CONTINUATION)) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A header block is not continued as it was begun.");
        }
        switch (frame.type()) {
            case Frame.DATA -> data(frame);
            case Frame.HEADERS -> headers(frame);
            case Frame.CONTINUATION -> continuation(frame);
            case Frame.RST_STREAM -> reset(frame);
            case Frame.SETTINGS -> settings(frame);
            case Frame.PING -> ping(frame);
            case Frame.GOAWAY -> {
                ofConnection(frame);
                leaving = true;
            }
            case Frame.WINDOW_UPDATE -> windowUpdate(frame);
            case Frame.PRIORITY -> {
                sized(frame, 5);
                tire(Patience.FRAME);
            }
            case Frame.PUSH_PROMISE -> throw error(ErrorCode.PROTOCOL_ERROR, "A client pushes nothing.");
            default -> tire(Patience.FRAME);
        }
    }

    private static ConnectionError error(ErrorCode code, String message) {
        return new ConnectionError(code, message);
    }

    private void tire(int cost) throws ConnectionError {
        patience.use(cost, nanos.getAsLong());
    }

    private static void sized(Frame frame, int bytes) throws ConnectionError {
        if (frame.payload().size() != bytes) {
            throw error(ErrorCode.FRAME_SIZE_ERROR, "A frame has a size that its type has not.");
        }
    }

    private static void ofConnection(Frame frame) throws ConnectionError {
        if (frame.stream() != 0) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A frame of the connection names a stream.");
        }
    }

    /** The stream of a frame; empty for one that is over. */
    private Optional<Stream> streamOf(Frame frame) throws ConnectionError {
        int id = frame.stream();
        if (id == 0 || id % 2 == 0 || id > lastStream) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A frame names a stream that was not opened.");
        }
        return Optional.ofNullable(streams.get(id));
    }

    private void data(Frame frame) throws ConnectionError {
        Optional<Stream> stream = streamOf(frame);
        int flowBytes = frame.payload().size();
        receiveWindow -= flowBytes;
        if (receiveWindow < 0) {
            throw error(ErrorCode.FLOW_CONTROL_ERROR, "The bodies are larger than their window.");
        }
        ByteString content = frame.content();
        boolean ends = frame.has(Frame.END_STREAM);
        if (stream.isEmpty() || (content.isEmpty() && !ends)) {
            tire(Patience.FRAME);
        }
        if (stream.isPresent()) {
            body(stream.get(), content, flowBytes, ends);
        }
        widen();
    }

    private void body(Stream stream, ByteString content, int flowBytes, boolean ends) throws ConnectionError {
        if (!stream.arrived(content, flowBytes, ends) || stream.isTooLong()) {
            tire(Patience.STREAM);
            reset(stream, ErrorCode.PROTOCOL_ERROR);
            return;
        }
        widen(stream);
        arrived(stream, ends);
    }

    private void arrived(Stream stream, boolean ends) {
        if (stream.answeredAt().isEmpty()) {
            told.arrived(stream.id());
        } else if (ends) {
            forget(stream);
        }
    }

    private void headers(Frame frame) throws ConnectionError {
        if (frame.stream() % 2 == 0) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A client opens streams with odd numbers.");
        }
        Block begun = new Block(frame.stream(), frame.has(Frame.END_STREAM), ByteString.emptyByteString(), -1);
        block = Optional.of(begun.with(frame.content()));
        completed(frame);
    }

    private void continuation(Frame frame) throws ConnectionError {
        Block begun = block.orElseThrow();
        if (begun.stream() != frame.stream()) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A header block goes on in another stream.");
        }
        block = Optional.of(begun.with(frame.payload()));
        completed(frame);
    }

    private void completed(Frame frame) throws ConnectionError {
        if (frame.has(Frame.END_HEADERS)) {
            Block whole = block.orElseThrow();
            block = Optional.empty();
            // Also of streams that are not served: the table of both sides depends on it.
            Optional<List<Header>> lines = heads.read(whole.bytes());
            if (whole.stream() > lastStream) {
                lastStream = whole.stream();
                open(whole, lines);
            } else {
                trailers(whole);
            }
        }
    }

    private void open(Block head, Optional<List<Header>> lines) throws ConnectionError {
        if (leaving || streams.size() >= streamsMax) {
            tire(Patience.STREAM);
            send(Frame.of(Frame.RST_STREAM, 0, head.stream(), ErrorCode.REFUSED_STREAM.number()));
            return;
        }
        if (lines.isEmpty()) {
            tire(Patience.STREAM);
            sendHead(head.stream(), List.of(new Header(":status", "431"), new Header("content-length", "0")), true);
            send(Frame.of(Frame.RST_STREAM, 0, head.stream(), ErrorCode.NO_ERROR.number()));
            return;
        }
        try {
            RequestHead request = RequestHead.of(lines.get(), head.ends());
            streams.put(head.stream(), new Stream(head.stream(), request, head.ends(), initialSendWindow));
            told.opened(head.stream());
        } catch (RequestHead.Malformed malformed) {
            tire(Patience.STREAM);
            send(Frame.of(Frame.RST_STREAM, 0, head.stream(), ErrorCode.PROTOCOL_ERROR.number()));
        }
    }

    /** The lines behind a body say nothing that the API asks for. */
    private void trailers(Block head) throws ConnectionError {
        Optional<Stream> stream = Optional.ofNullable(streams.get(head.stream()));
        if (stream.isEmpty()) {
            tire(Patience.FRAME);
            return;
        }
        if (!head.ends() || stream.get().hasRequestEnded()) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A request has a second head.");
        }
        if (!stream.get().end()) {
            tire(Patience.STREAM);
            reset(stream.get(), ErrorCode.PROTOCOL_ERROR);
            return;
        }
        arrived(stream.get(), true);
    }

    private void reset(Frame frame) throws ConnectionError {
        sized(frame, 4);
        Optional<Stream> stream = streamOf(frame);
        boolean answered = stream.flatMap(Stream::answeredAt).isPresent();
        tire(stream.isEmpty() || answered ? Patience.FRAME : Patience.STREAM);
        stream.ifPresent(this::forget);
    }

    private void settings(Frame frame) throws ConnectionError {
        ofConnection(frame);
        int size = frame.payload().size();
        if (frame.has(Frame.ACK) ? size != 0 : size % SETTING_BYTES != 0) {
            throw error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS have a size that they have not.");
        }
        tire(Patience.FRAME);
        if (frame.has(Frame.ACK)) {
            return;
        }
        int window = initialSendWindow;
        for (int at = 0; at < size; at += SETTING_BYTES) {
            int name =
                    ((frame.payload().apply(at) & 0xff) << 8) | (frame.payload().apply(at + 1) & 0xff);
            long value = frame.unsigned(at + 2) & 0xffffffffL;
            if (name == INITIAL_WINDOW_SIZE) {
                window = window(value);
            } else if (name == MAX_FRAME_SIZE && (value < Frame.PAYLOAD_BYTES_MAX || value >= 1 << 24)) {
                throw error(ErrorCode.PROTOCOL_ERROR, "A frame's largest size is out of bounds.");
            }
        }
        changeWindows(window);
        send(new Frame(Frame.SETTINGS, Frame.ACK, 0, ByteString.emptyByteString()));
    }

    private static int window(long value) throws ConnectionError {
        if (value > Frame.MAX_31_BITS) {
            throw error(ErrorCode.FLOW_CONTROL_ERROR, "A window is larger than 31 bits.");
        }
        return (int) value;
    }

    private void changeWindows(int window) throws ConnectionError {
        long more = (long) window - initialSendWindow;
        initialSendWindow = window;
        if (more != 0) {
            for (Stream stream : streams.values()) {
                stream.opened(more);
                makeReady(stream);
            }
        }
    }

    private void ping(Frame frame) throws ConnectionError {
        ofConnection(frame);
        sized(frame, 8);
        tire(Patience.FRAME);
        if (!frame.has(Frame.ACK)) {
            send(new Frame(Frame.PING, Frame.ACK, 0, frame.payload()));
        }
    }

    private void windowUpdate(Frame frame) throws ConnectionError {
        sized(frame, 4);
        int more = frame.unsigned(0) & Frame.MAX_31_BITS;
        if (more == 0) {
            throw error(ErrorCode.PROTOCOL_ERROR, "A window is opened by nothing.");
        }
        if (updatesAllowed > 0) {
            updatesAllowed--;
        } else {
            tire(Patience.FRAME);
        }
        if (frame.stream() == 0) {
            sendWindow += more;
            if (sendWindow > Frame.MAX_31_BITS) {
                throw error(ErrorCode.FLOW_CONTROL_ERROR, "A window is larger than 31 bits.");
            }
            streams.values().stream().filter(Stream::hasOut).forEach(this::makeReady);
            return;
        }
        Optional<Stream> stream = streamOf(frame);
        if (stream.isPresent()) {
            stream.get().opened(more);
            makeReady(stream.get());
        }
    }

    // ---- requests

    /** What of a request can be passed on. */
    ByteString take(int id) {
        Stream stream = streams.get(id);
        if (stream == null) {
            return ByteString.emptyByteString();
        }
        ByteString taken = stream.take();
        widen(stream);
        widen();
        return taken;
    }

    /** The rest of a request is of no use. */
    void discard(int id) {
        Stream stream = streams.get(id);
        if (stream != null) {
            stream.discard();
            widen();
        }
    }

    /** A request of a known caller has come over the connection. */
    void known() {
        known = true;
        widen();
    }

    private int largestWindow() {
        return known ? CALLERS_WINDOW_BYTES : Stream.WINDOW_BYTES;
    }

    private void widen(Stream stream) {
        int more = stream.widen(largestWindow());
        if (more > 0) {
            send(Frame.of(Frame.WINDOW_UPDATE, 0, stream.id(), more));
        }
    }

    private void widen() {
        int held = streams.values().stream().mapToInt(Stream::heldBytes).sum();
        int more = largestWindow() - receiveWindow - held;
        if (more >= largestWindow() / 2) {
            receiveWindow += more;
            send(Frame.of(Frame.WINDOW_UPDATE, 0, 0, more));
        }
    }

    // ---- answers

    /** More of an answer, in HTTP/1.1. */
    void answer(int id, ByteString bytes) {
        Stream stream = streams.get(id);
        if (stream == null) {
            return;
        }
        List<AnswerReader.Part> parts = stream.read(bytes);
        for (int at = 0; at < parts.size(); at++) {
            AnswerReader.Part part = parts.get(at);
            if (part instanceof AnswerReader.Part.Head head) {
                boolean last = at + 1 < parts.size()
                        && parts.get(at + 1) instanceof AnswerReader.Part.End end
                        && end.trailers().isEmpty();
                sendHead(id, head.lines(), last);
                if (last) {
                    answered(stream);
                    return;
                }
            } else if (part instanceof AnswerReader.Part.Body body) {
                stream.hold(body.bytes());
            } else if (part instanceof AnswerReader.Part.End end) {
                stream.endAnswer(end.trailers());
            }
        }
        makeReady(stream);
    }

    /** Its sender has ended. */
    void answerEnded(int id) {
        Stream stream = streams.get(id);
        if (stream == null || stream.answeredAt().isPresent()) {
            return;
        }
        if (stream.isWhole()) {
            stream.endAnswer(List.of());
            makeReady(stream);
        } else {
            reset(stream, ErrorCode.INTERNAL_ERROR);
        }
    }

    /** Whether there is room for more of an answer. */
    boolean wantsMore(int id) {
        Stream stream = streams.get(id);
        return stream != null && stream.answeredAt().isEmpty() && stream.wantsMore();
    }

    /** Ends a stream that has to make room. */
    void giveUp(int id) {
        Stream stream = streams.get(id);
        if (stream != null) {
            reset(stream, ErrorCode.CANCEL);
        }
    }

    private void makeReady(Stream stream) {
        if (!stream.makeReady()) {
            ready.add(stream);
        }
    }

    private void reset(Stream stream, ErrorCode code) {
        send(Frame.of(Frame.RST_STREAM, 0, stream.id(), code.number()));
        forget(stream);
    }

    private void forget(Stream stream) {
        if (streams.remove(stream.id()) != null) {
            ready.remove(stream);
            if (streams.isEmpty()) {
                quietSince = nanos.getAsLong();
            }
            if (stream.answeredAt().isEmpty()) {
                told.ended(stream.id());
            }
            widen();
        }
    }

    private void answered(Stream stream) {
        stream.answered(nanos.getAsLong());
        told.ended(stream.id());
        if (stream.hasRequestEnded()) {
            forget(stream);
        }
    }

    // ---- to the network

    private void send(Frame frame) {
        frame.writeTo(control);
    }

    private void sendHead(int id, List<Header> lines, boolean ends) {
        ByteString rest = HeaderBlocks.written(lines);
        int type = Frame.HEADERS;
        do {
            ByteString part = rest.take(Frame.PAYLOAD_BYTES_MAX);
            rest = rest.drop(part.size());
            int flags =
                    (rest.isEmpty() ? Frame.END_HEADERS : 0) | (ends && type == Frame.HEADERS ? Frame.END_STREAM : 0);
            send(new Frame(type, flags, id, part));
            type = Frame.CONTINUATION;
        } while (!rest.isEmpty());
    }

    /** What is sent next, about as many bytes; empty when there is nothing. */
    ByteString toSend(int bytesMax) {
        try {
            int waiting = ready.size();
            while (control.length() < bytesMax && waiting > 0) {
                Stream stream = ready.remove();
                stream.notReady();
                waiting--;
                if (sendOf(stream)) {
                    makeReady(stream);
                    waiting = ready.size();
                }
            }
        } catch (ConnectionError error) {
            fail(error);
        }
        ByteString sent = control.result();
        control = new ByteStringBuilder();
        return sent;
    }

    /** Sends a frame's worth; returns whether there may be more. */
    private boolean sendOf(Stream stream) throws ConnectionError {
        int bytes = (int) Math.min(
                Math.min(stream.outBytes(), Frame.PAYLOAD_BYTES_MAX),
                Math.max(0, Math.min(stream.sendWindow(), sendWindow)));
        if (bytes > 0) {
            if (bytes < Math.min(SMALL_BYTES, stream.outBytes())) {
                tire(Patience.FRAME);
            }
            sendWindow -= bytes;
            updatesAllowed = Math.min(updatesAllowed + UPDATES_FOR_ONE, UPDATES_MAX);
            ByteString part = stream.send(bytes);
            boolean last =
                    !stream.hasOut() && stream.trailers().filter(List::isEmpty).isPresent();
            send(new Frame(Frame.DATA, last ? Frame.END_STREAM : 0, stream.id(), part));
            if (last) {
                answered(stream);
                return false;
            }
        }
        if (stream.hasOut()) {
            return isHeldUp(stream, bytes);
        }
        if (stream.isReadNow()) {
            told.read(stream.id());
        }
        if (stream.trailers().isPresent()) {
            end(stream, stream.trailers().get());
        } else {
            told.room(stream.id());
        }
        return false;
    }

    private boolean isHeldUp(Stream stream, int sentBytes) {
        if (stream.isBlockedNow()) {
            told.unread(stream.id());
        }
        if (stream.wantsMore()) {
            told.room(stream.id());
        }
        return sentBytes > 0;
    }

    private void end(Stream stream, List<Header> trailers) {
        if (trailers.isEmpty()) {
            send(new Frame(Frame.DATA, Frame.END_STREAM, stream.id(), ByteString.emptyByteString()));
        } else {
            sendHead(stream.id(), trailers, true);
        }
        answered(stream);
    }

    // ---- the connection

    /** Whether more of the network is to be read. */
    boolean mayRead() {
        return failed.isEmpty() && control.length() < CONTROL_BYTES_MAX;
    }

    /** Takes no further request, and ends when those in progress are answered. */
    void leave() {
        if (!leaving && failed.isEmpty()) {
            leaving = true;
            goAway(ErrorCode.NO_ERROR, "");
        }
    }

    private void goAway(ErrorCode code, String why) {
        ByteString payload = new ByteStringBuilder()
                .putInt(lastStream, ByteOrder.BIG_ENDIAN)
                .putInt(code.number(), ByteOrder.BIG_ENDIAN)
                .result()
                .concat(ByteString.fromString(why));
        send(new Frame(Frame.GOAWAY, 0, 0, payload));
    }

    private void fail(ConnectionError error) {
        if (failed.isEmpty()) {
            failed = Optional.of(error);
            goAway(error.code(), String.valueOf(error.getMessage()));
            end();
        }
    }

    /** Ends all streams. */
    void end() {
        new ArrayList<>(streams.values()).forEach(this::forget);
    }

    /** Why it ended, when it is the client's doing. */
    Optional<ConnectionError> failure() {
        return failed;
    }

    /** Whether nothing is left but what waits to be sent. */
    boolean isOver() {
        return failed.isPresent() || (leaving && streams.isEmpty());
    }

    /** How long no request has been in progress; zero while one is. */
    Duration quiet() {
        return streams.isEmpty() ? Duration.ofNanos(nanos.getAsLong() - quietSince) : Duration.ZERO;
    }

    /**
     * Gives up requests that do not end though they are answered, and the connection with them, as with HTTP/1.1: some clients
     * go on to send what nobody takes. To be called now and then.
     */
    void look() {
        long now = nanos.getAsLong();
        List<Stream> endless = streams.values().stream()
                .filter(stream -> stream.answeredAt()
                        .filter(since -> now - since >= linger.toNanos())
                        .isPresent())
                .toList();
        if (!endless.isEmpty()) {
            leave();
            endless.forEach(stream -> reset(stream, ErrorCode.NO_ERROR));
        }
    }
}
