package dev.vivarium.node.http.server;

import java.time.Duration;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.BidiShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;

/**
 * The bytes of one connection, next to the kernel. Closes it in a way that bounds how long it lives and that shows the client
 * its last answer: after the last byte the client is told the end, and what it still sends is discarded for a moment, since
 * a kernel that closes with unread bytes takes back the answer. A client that does not read is cut off.
 *
 * <p>Downstream acknowledges each write with its demand (the TCP stage is left no buffer of its own), so what was pushed and
 * not pulled again has not been taken.
 */
final class Wire extends GraphStage<BidiShape<ByteString, ByteString, ByteString, ByteString>> {
    /** How long what still arrives after the last answer is discarded. */
    static final Duration LINGER = Duration.ofSeconds(2);
    /** How many bytes are collected while others are being written. */
    private static final int COLLECTED_BYTES = 16 << 10;

    private static final Duration LOOK = OpenConnections.UNREAD.dividedBy(2);

    private static final String OVER = "over";
    private static final String UNREAD = "unread";

    /** The end of a connection that has to make room, or whose client does not read. */
    private static final class Displaced extends RuntimeException {
        Displaced() {
            super("The connection is closed for others.", null, false, false);
        }
    }

    private final OpenConnections.Place place;
    private final Duration unreadMax;
    private final Inlet<ByteString> fromHttp = Inlet.create("Wire.fromHttp");
    private final Outlet<ByteString> toNetwork = Outlet.create("Wire.toNetwork");
    private final Inlet<ByteString> fromNetwork = Inlet.create("Wire.fromNetwork");
    private final Outlet<ByteString> toHttp = Outlet.create("Wire.toHttp");

    /** @param unreadMax how long the rest of the last answer may take */
    Wire(OpenConnections.Place place, Duration unreadMax) {
        this.place = place;
        this.unreadMax = unreadMax;
    }

    @Override
    public BidiShape<ByteString, ByteString, ByteString, ByteString> shape() {
        return BidiShape.of(fromHttp, toNetwork, fromNetwork, toHttp);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic {
        private ByteString collected = ByteString.emptyByteString();

        Logic() {
            super(Wire.this.shape());
            setHandler(fromHttp, new Answers());
            setHandler(toNetwork, new Written());
            setHandler(fromNetwork, new Received());
            setHandler(toHttp, new Wanted());
        }

        @Override
        public void preStart() {
            place.carriedBy(() -> createAsyncCallback(nothing -> abort()).invoke(place));
            scheduleWithFixedDelay(UNREAD, LOOK, LOOK);
            pull(fromHttp);
        }

        @Override
        public void postStop() {
            place.closed();
        }

        @Override
        public void onTimer(Object key) {
            if (key.equals(OVER) || place.isInVain()) {
                abort();
            }
        }

        /** Resets the connection; to HTTP it looks like one that its client has closed. */
        private void abort() {
            Displaced displaced = new Displaced();
            if (!isClosed(toNetwork)) {
                fail(toNetwork, displaced);
            }
            if (!isClosed(fromNetwork)) {
                cancel(fromNetwork, displaced);
            }
            completeStage();
        }

        private boolean isTaken() {
            return collected.isEmpty() && isAvailable(toNetwork);
        }

        private void write() {
            if (!collected.isEmpty() && isAvailable(toNetwork)) {
                push(toNetwork, collected);
                collected = ByteString.emptyByteString();
                place.unread();
            }
        }

        private void sayTheEnd() {
            complete(toNetwork);
            if (isClosed(fromNetwork)) {
                completeStage();
            } else {
                complete(toHttp);
                scheduleOnce(OVER, LINGER);
                drain();
            }
        }

        private void drain() {
            if (!isClosed(fromNetwork) && !hasBeenPulled(fromNetwork)) {
                pull(fromNetwork);
            }
        }

        private final class Answers extends AbstractInHandler {
            @Override
            public void onPush() {
                collected = collected.concat(grab(fromHttp));
                write();
                if (collected.size() < COLLECTED_BYTES) {
                    pull(fromHttp);
                }
            }

            @Override
            public void onUpstreamFinish() {
                place.leaving();
                if (isTaken()) {
                    sayTheEnd();
                } else {
                    scheduleOnce(OVER, unreadMax);
                }
            }

            @Override
            public void onUpstreamFailure(Throwable failure) {
                abort();
            }
        }

        private final class Written extends AbstractOutHandler {
            @Override
            public void onPull() {
                place.read();
                write();
                if (!isClosed(fromHttp)) {
                    if (!hasBeenPulled(fromHttp)) {
                        pull(fromHttp);
                    }
                } else if (isTaken()) {
                    sayTheEnd();
                }
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                completeStage();
            }
        }

        private final class Received extends AbstractInHandler {
            @Override
            public void onPush() {
                ByteString bytes = grab(fromNetwork);
                if (isClosed(toHttp)) {
                    pull(fromNetwork);
                } else {
                    push(toHttp, bytes);
                }
            }

            @Override
            public void onUpstreamFinish() {
                if (isClosed(toNetwork)) {
                    completeStage();
                } else {
                    complete(toHttp);
                }
            }
        }

        private final class Wanted extends AbstractOutHandler {
            @Override
            public void onPull() {
                if (!isClosed(fromNetwork)) {
                    pull(fromNetwork);
                }
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                drain();
            }
        }
    }
}
