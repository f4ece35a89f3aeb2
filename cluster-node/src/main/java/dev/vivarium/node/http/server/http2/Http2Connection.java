package dev.vivarium.node.http.server.http2;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of HTTP/2, between the bytes of the network and the streams that are served. It owns a {@link Session} and a graph
 * for each stream, which runs in an actor of its own, so that a stream that fails or computes disturbs no other. When the
 * connection ends, all its streams do.
 */
public final class Http2Connection extends GraphStage<FlowShape<ByteString, ByteString>> {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int SENT_BYTES = 32 << 10;

    private final Hosting host;
    private final int streamsMax;
    private final Duration linger;
    private final Materializer materializer;
    private final Inlet<ByteString> fromNetwork = Inlet.create("Http2Connection.fromNetwork");
    private final Outlet<ByteString> toNetwork = Outlet.create("Http2Connection.toNetwork");

    /**
     * @param streamsMax requests in progress
     * @param linger how long the rest of a request is discarded after its answer
     * @param materializer of the streams
     */
    public Http2Connection(Hosting host, int streamsMax, Duration linger, Materializer materializer) {
        this.host = host;
        this.streamsMax = streamsMax;
        this.linger = linger;
        this.materializer = materializer;
    }

    @Override
    public FlowShape<ByteString, ByteString> shape() {
        return FlowShape.of(fromNetwork, toNetwork);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic implements Session.Streams {
        private final Session session = new Session(streamsMax, linger, this, System::nanoTime);
        private final AsyncCallback<Runnable> own = createAsyncCallback(task -> {
            task.run();
            proceed();
        });
        private final Map<Integer, Channel> channels = new HashMap<>();

        Logic() {
            super(Http2Connection.this.shape());
            setHandler(fromNetwork, new Received());
            setHandler(toNetwork, new Wanted());
        }

        @Override
        public void preStart() {
            scheduleWithFixedDelay(LOOK, LOOK, LOOK);
            host.served(() -> own.invoke(session::leave), () -> own.invoke(this::completeStage));
            pull(fromNetwork);
        }

        @Override
        public void postStop() {
            session.end();
            host.leaving();
        }

        @Override
        public void onTimer(Object key) {
            session.look();
            List.copyOf(channels.values()).stream()
                    .filter(channel -> channel.seat.isInVain())
                    .forEach(channel -> session.giveUp(channel.stream));
            if (session.quiet().compareTo(host.requestWait()) >= 0) {
                session.leave();
            }
            proceed();
        }

        /** Sends what there is, and reads on if it may. */
        private void proceed() {
            if (isAvailable(toNetwork)) {
                ByteString bytes = session.toSend(SENT_BYTES);
                if (!bytes.isEmpty()) {
                    push(toNetwork, bytes);
                } else if (session.isOver()) {
                    session.failure()
                            .ifPresent(error -> host.failed(error.code().name()));
                    completeStage();
                    return;
                }
            }
            if (session.mayRead() && !isClosed(fromNetwork) && !hasBeenPulled(fromNetwork)) {
                pull(fromNetwork);
            }
        }

        @Override
        public void opened(int stream) {
            Channel channel = new Channel(stream);
            channels.put(stream, channel);
            channel.begin();
        }

        @Override
        public void arrived(int stream) {
            with(stream, channel -> channel.pass());
        }

        @Override
        public void room(int stream) {
            with(stream, channel -> channel.ask());
        }

        @Override
        public void unread(int stream) {
            with(stream, channel -> channel.seat.unread());
        }

        @Override
        public void read(int stream) {
            with(stream, channel -> channel.seat.read());
        }

        @Override
        public void ended(int stream) {
            Channel channel = channels.remove(stream);
            if (channel != null) {
                channel.end();
            }
        }

        private void with(int stream, Consumer<Channel> what) {
            Channel channel = channels.get(stream);
            if (channel != null) {
                what.accept(channel);
            }
        }

        /** One stream: what connects it with what serves it. */
        private final class Channel {
            private final int stream;
            private final Hosting.Seat seat;
            private final SubSourceOutlet<ByteString> requests;
            private final SubSinkInlet<ByteString> answers;

            Channel(int stream) {
                this.stream = stream;
                this.seat = host.open(() -> own.invoke(() -> session.giveUp(stream)), () -> own.invoke(session::known));
                this.requests = new SubSourceOutlet<>("Http2Connection.requests");
                this.answers = new SubSinkInlet<>("Http2Connection.answers");
                requests.setHandler(new Requests());
                answers.setHandler(new Answers());
            }

            void begin() {
                Source.fromGraph(requests.source())
                        .via(seat.server())
                        .runWith(Sink.fromGraph(answers.sink()), materializer);
                answers.pull();
            }

            void pass() {
                if (requests.isAvailable()) {
                    ByteString bytes = session.take(stream);
                    if (!bytes.isEmpty()) {
                        requests.push(bytes);
                    }
                }
            }

            void ask() {
                if (!answers.isClosed() && !answers.hasBeenPulled() && session.wantsMore(stream)) {
                    answers.pull();
                }
            }

            void end() {
                if (!requests.isClosed()) {
                    requests.complete();
                }
                if (!answers.isClosed()) {
                    answers.cancel();
                }
                seat.closed();
            }

            private final class Requests extends AbstractOutHandler {
                @Override
                public void onPull() {
                    pass();
                    proceed();
                }

                @Override
                public void onDownstreamFinish(Throwable cause) {
                    session.discard(stream);
                    proceed();
                }
            }

            private final class Answers extends AbstractInHandler {
                @Override
                public void onPush() {
                    session.answer(stream, answers.grab());
                    ask();
                    proceed();
                }

                @Override
                public void onUpstreamFinish() {
                    session.answerEnded(stream);
                    proceed();
                }

                @Override
                public void onUpstreamFailure(Throwable failure) {
                    LOG.debug("A stream ended without an answer.", failure);
                    onUpstreamFinish();
                }
            }
        }

        private final class Received extends AbstractInHandler {
            @Override
            public void onPush() {
                session.received(grab(fromNetwork));
                proceed();
            }
        }

        private final class Wanted extends AbstractOutHandler {
            @Override
            public void onPull() {
                proceed();
            }
        }
    }
}
