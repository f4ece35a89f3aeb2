package dev.vivarium.node.http.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import org.apache.pekko.Done;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;

/**
 * The bytes of a connection as a flow: what comes in is written to it, what is read from it comes out. Each side ends by itself,
 * so that a client that has sent its last byte still gets its answer. One piece is read ahead of demand, so that the end of a
 * client is seen while nobody waits for its bytes. When the last byte is written, the client's further ones are dropped for a
 * while before the connection is closed: a connection that is closed before they are read shows the client a failure.
 */
final class ChannelStage extends GraphStage<FlowShape<ByteString, ByteString>> {
    private static final int READ_BYTES_MAX = 16 << 10;
    /** Then others get their turn: bytes that are dropped have no other bound. */
    private static final int READS_AT_ONCE = 4;

    private static final int WRITE_BYTES_MAX = 64 << 10;
    private static final String LINGER = "linger";

    private final LocalConnection connection;
    private final Duration linger;
    private final Inlet<ByteString> in = Inlet.create("ChannelStage.in");
    private final Outlet<ByteString> out = Outlet.create("ChannelStage.out");

    /** @param linger how long the client's bytes are dropped after the last byte was written */
    ChannelStage(LocalConnection connection, Duration linger) {
        this.connection = connection;
        this.linger = linger;
    }

    @Override
    public FlowShape<ByteString, ByteString> shape() {
        return FlowShape.of(in, out);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic {
        private final AsyncCallback<Done> readable = createAsyncCallback(done -> read());
        private final AsyncCallback<Done> writable = createAsyncCallback(done -> write());
        private final AsyncCallback<Done> closed = createAsyncCallback(done -> completeStage());
        private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES_MAX);

        /** Read, and not asked for yet. */
        private Optional<ByteString> ahead = Optional.empty();
        /** What is being written; empty when the next piece may come. */
        private ByteBuffer pending = ByteBuffer.allocate(0);

        private Side reading = Side.OPEN;
        private Side writing = Side.OPEN;

        Logic() {
            super(ChannelStage.this.shape());
            setHandlers(in, out, new Sides());
        }

        @Override
        public void preStart() {
            // Each side ends by itself, and the connection's end is the stage's.
            setKeepGoing(true);
            connection.closed().thenAccept(closed::invoke);
            pull(in);
            read();
        }

        @Override
        public void postStop() {
            connection.close();
        }

        @Override
        public void onTimer(Object key) {
            connection.close();
        }

        private void read() {
            try {
                int count = 1;
                for (int i = 0; i < READS_AT_ONCE && count > 0 && isReading(); i++) {
                    buffer.clear();
                    count = connection.channel().read(buffer);
                    if (count < 0) {
                        ended();
                    } else if (count > 0) {
                        received(ByteString.fromArray(buffer.array(), 0, count));
                    }
                }
                if (isReading()) {
                    connection.whenReadable(() -> readable.invoke(Done.getInstance()));
                }
            } catch (IOException broken) {
                connection.close();
            }
        }

        private boolean isReading() {
            return reading == Side.OPEN && ahead.isEmpty();
        }

        private void received(ByteString bytes) {
            if (isClosed(out)) {
                return;
            }
            if (isAvailable(out)) {
                push(out, bytes);
            } else {
                ahead = Optional.of(bytes);
            }
        }

        private void ended() {
            reading = Side.ENDED;
            complete(out);
            if (writing == Side.ENDED) {
                connection.close();
            }
        }

        private void write() {
            try {
                while (pending.hasRemaining()) {
                    ByteBuffer piece = pending.duplicate();
                    piece.limit(Math.min(pending.limit(), pending.position() + WRITE_BYTES_MAX));
                    int count = connection.channel().write(piece);
                    if (count == 0) {
                        connection.whenWritable(() -> writable.invoke(Done.getInstance()));
                        return;
                    }
                    pending.position(pending.position() + count);
                }
                if (isClosed(in)) {
                    finish();
                } else if (!hasBeenPulled(in)) {
                    pull(in);
                }
            } catch (IOException broken) {
                connection.close();
            }
        }

        private void finish() throws IOException {
            if (writing == Side.ENDED) {
                return;
            }
            writing = Side.ENDED;
            if (reading == Side.ENDED) {
                connection.close();
                return;
            }
            connection.channel().shutdownOutput();
            scheduleOnce(LINGER, linger);
            ahead = Optional.empty();
            complete(out);
            read();
        }

        private final class Sides extends AbstractInOutHandler {
            @Override
            public void onPush() {
                pending = grab(in).asByteBuffer();
                write();
            }

            @Override
            public void onUpstreamFinish() {
                write();
            }

            @Override
            public void onUpstreamFailure(Throwable failure) {
                connection.close();
            }

            @Override
            public void onPull() {
                ahead.ifPresent(bytes -> push(out, bytes));
                ahead = Optional.empty();
                read();
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                ahead = Optional.empty();
                read();
            }
        }
    }

    private enum Side {
        OPEN,
        ENDED
    }
}
