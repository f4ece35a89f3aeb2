package dev.vivarium.node.http.server.http2;

import java.util.List;
import java.util.Optional;
import org.apache.pekko.util.ByteString;

/** One stream of a session: a request, and its answer. */
final class Stream {
    /** The protocol's window before anybody changes it, for streams and for connections. */
    static final int WINDOW_BYTES = (1 << 16) - 1;
    /** What a body is passed on in. */
    private static final int PASSED_BYTES_MAX = 1 << 16;
    /** What of an answer is held here, at which no more is asked for. */
    private static final int HELD_BYTES_MAX = 1 << 15;
    /** A client that takes as much as this of its answer is one that reads. */
    private static final int READ_BYTES = 1 << 14;

    private static final ByteString LAST_CHUNK = ByteString.fromString("0\r\n\r\n");

    private final int id;
    private final RequestHead request;
    private final AnswerReader answer;

    private ByteString head;
    private final ReceivedBytes body = new ReceivedBytes();
    private long arrivedBytes;
    private long takenBytes;
    private boolean requestEnded;
    private boolean lastChunkTaken;
    private boolean discarding;
    private int receiveWindow = WINDOW_BYTES;

    private ByteString out = ByteString.emptyByteString();
    private Optional<List<Header>> trailers = Optional.empty();
    private long sendWindow;
    private boolean ready;
    private Optional<Long> answeredAt = Optional.empty();
    private int untilRead;

    Stream(int id, RequestHead request, boolean requestEnded, long sendWindow) {
        this.id = id;
        this.request = request;
        this.answer = new AnswerReader(request.isHead());
        this.head = request.bytes();
        this.requestEnded = requestEnded;
        this.sendWindow = sendWindow;
    }

    int id() {
        return id;
    }

    // ---- the request

    /**
     * More of the body.
     *
     * @param flowBytes what it takes of the window, padding included
     * @return whether it agrees with what the head says
     */
    boolean arrived(ByteString bytes, int flowBytes, boolean ends) throws ConnectionError {
        if (requestEnded) {
            throw new ConnectionError(ErrorCode.STREAM_CLOSED, "A body goes on after its end.");
        }
        receiveWindow -= flowBytes;
        if (receiveWindow < 0) {
            throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "A body is larger than its window.");
        }
        arrivedBytes += bytes.size();
        if (!discarding) {
            body.add(bytes);
        }
        return !ends || end();
    }

    /** The body is here to its end; returns whether it is as long as the head says. */
    boolean end() {
        requestEnded = true;
        return isLengthRight();
    }

    private boolean isLengthRight() {
        return !(request.framing() instanceof RequestHead.Framing.Counted counted) || counted.bytes() == arrivedBytes;
    }

    boolean isTooLong() {
        return request.framing() instanceof RequestHead.Framing.Counted counted && arrivedBytes > counted.bytes();
    }

    boolean hasRequestEnded() {
        return requestEnded;
    }

    /** What of the request can be passed on, in HTTP/1.1. */
    ByteString take() {
        if (!head.isEmpty()) {
            ByteString taken = head;
            head = ByteString.emptyByteString();
            return taken;
        }
        ByteString taken = body.take(PASSED_BYTES_MAX);
        takenBytes += taken.size();
        if (!(request.framing() instanceof RequestHead.Framing.Chunked)) {
            return taken;
        }
        ByteString chunk = taken.isEmpty() ? taken : chunk(taken);
        if (requestEnded && body.size() == 0 && !lastChunkTaken) {
            lastChunkTaken = true;
            return chunk.concat(LAST_CHUNK);
        }
        return chunk;
    }

    private static ByteString chunk(ByteString bytes) {
        return ByteString.fromString(Integer.toHexString(bytes.size()) + "\r\n")
                .concat(bytes)
                .concat(ByteString.fromString("\r\n"));
    }

    /** The rest of the request is of no use. */
    void discard() {
        discarding = true;
        head = ByteString.emptyByteString();
        body.take(Integer.MAX_VALUE);
    }

    int heldBytes() {
        return body.size();
    }

    /**
     * By how much the client may send more.
     *
     * @param largest the window of a body that somebody takes; it begins with the protocol's
     */
    int widen(int largest) {
        if (requestEnded) {
            return 0;
        }
        int window = takenBytes >= WINDOW_BYTES / 2 ? largest : WINDOW_BYTES;
        int more = window - receiveWindow - body.size();
        if (more < window / 2) {
            return 0;
        }
        receiveWindow += more;
        return more;
    }

    // ---- the answer

    List<AnswerReader.Part> read(ByteString bytes) {
        return answer.read(bytes);
    }

    /** Its sender has ended; whether it is whole. */
    boolean isWhole() {
        return trailers.isPresent() || answer.isWhole();
    }

    void hold(ByteString bytes) {
        out = out.concat(bytes);
    }

    void endAnswer(List<Header> lines) {
        if (trailers.isEmpty()) {
            trailers = Optional.of(lines);
        }
    }

    /** The lines behind the answer, when that is here to its end. */
    Optional<List<Header>> trailers() {
        return trailers;
    }

    boolean wantsMore() {
        return trailers.isEmpty() && out.size() < HELD_BYTES_MAX;
    }

    boolean hasOut() {
        return !out.isEmpty();
    }

    int outBytes() {
        return out.size();
    }

    long sendWindow() {
        return sendWindow;
    }

    /** The client takes more, or, when it has changed its settings, less. */
    void opened(long more) throws ConnectionError {
        sendWindow += more;
        if (sendWindow > Frame.MAX_31_BITS) {
            throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "A window is larger than 31 bits.");
        }
    }

    ByteString send(int bytes) {
        ByteString sent = out.take(bytes);
        out = out.drop(bytes);
        sendWindow -= bytes;
        untilRead -= bytes;
        return sent;
    }

    /** Whether its client begins, now, to be one that does not take its answer. */
    boolean isBlockedNow() {
        boolean begins = !out.isEmpty() && untilRead <= 0;
        if (begins) {
            untilRead = READ_BYTES;
        }
        return begins;
    }

    /** Whether its client has taken everything, and had not before. */
    boolean isReadNow() {
        boolean read = out.isEmpty() && untilRead > 0;
        if (read) {
            untilRead = 0;
        }
        return read;
    }

    /** Whether it waits to send something; returns false, and it does, if it did not. */
    boolean makeReady() {
        boolean was = ready;
        ready = true;
        return was;
    }

    void notReady() {
        ready = false;
    }

    /** The answer has left to its end. */
    void answered(long now) {
        answeredAt = Optional.of(now);
        discard();
    }

    Optional<Long> answeredAt() {
        return answeredAt;
    }
}
