package dev.vivarium.node.driver.guest;

import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.FrameDecoder;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.MalformedFrameException;
import dev.vivarium.protocol.guest.NodeFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The channel to a guest over its connection. It has no thread: frames are handled on the connection's thread, which is
 * shared. The first frame must be the guest's greeting, which completes {@link #greeted}; the listener receives all
 * others, and nothing of a sandbox that never greeted.
 */
public final class GuestChannel implements SandboxChannel {
    private static final Logger LOG = LoggerFactory.getLogger(GuestChannel.class);

    private final SandboxId id;
    private final GuestConnection connection;
    private final ChannelListener listener;
    private final Supplier<? extends CompletionStage<ClosedBecause>> whyEnded;
    private final SendBudget budget;
    private final FrameWindow window;
    private final GuestFrameCheck conduct = new GuestFrameCheck();
    private final CompletableFuture<Void> greeted = new CompletableFuture<>();
    /** The node's first reason to end the channel; null while only the other side may have ended it. */
    private final AtomicReference<@Nullable ClosedBecause> ended = new AtomicReference<>();

    private final Reader reader;

    /**
     * @param streams splits the connection's bytes into the guest's two streams
     * @param whyEnded determines why the connection ended
     */
    public GuestChannel(
            SandboxId id,
            GuestConnection connection,
            GuestStreams streams,
            ChannelLimits limits,
            ChannelListener listener,
            Supplier<? extends CompletionStage<ClosedBecause>> whyEnded) {
        this.id = id;
        this.connection = connection;
        this.listener = listener;
        this.whyEnded = whyEnded;
        this.budget = new SendBudget(limits.queueBytesMax());
        this.window = new FrameWindow(limits.unconfirmedFramesMax());
        this.reader = new Reader(streams);
    }

    /** Starts reading. */
    public void open() {
        connection.begin(reader);
    }

    /** Completes with the guest's greeting; fails with {@link ChannelEndedException} when the channel ends first. */
    public CompletableFuture<Void> greeted() {
        return greeted;
    }

    @Override
    public void send(NodeFrame frame) {
        ByteBuffer bytes = GuestCodec.encode(frame);
        int count = bytes.remaining();
        conduct.sending(frame);
        if (budget.take(count)) {
            connection.write(bytes, () -> budget.giveBack(count));
        }
    }

    @Override
    public void confirm() {
        if (window.confirm()) {
            connection.execute(reader::handOver);
        }
    }

    @Override
    public void close() {
        end(new ClosedBecause(Cause.CLOSED_HERE, "The node closed the channel."));
    }

    /** Ends the channel; the first reason counts. */
    private void end(ClosedBecause why) {
        ended.compareAndSet(null, why);
        budget.close();
        connection.close();
        connection.execute(reader::finish);
    }

    private static ClosedBecause violated(String detail) {
        return new ClosedBecause(Cause.PROTOCOL_VIOLATED, detail);
    }

    /** Everything that happens on the connection's thread. */
    private final class Reader implements GuestConnection.Receiver, GuestStreams.Sink {
        private final GuestStreams streams;
        private final FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
        private final GuestStderr stderr = new GuestStderr(id);
        /** Frames that were read together with one that had no room; bounded by a single read. */
        private final Queue<GuestFrame> waiting = new ArrayDeque<>();
        /** The first of them, once checked. */
        private Optional<GuestFrame> checked = Optional.empty();

        private Optional<Runnable> afterThem = Optional.empty();
        private boolean finished;

        Reader(GuestStreams streams) {
            this.streams = streams;
        }

        @Override
        public void received(ByteBuffer bytes) {
            if (ended.get() != null || afterThem.isPresent()) {
                return;
            }
            try {
                streams.split(bytes, this);
            } catch (IOException broken) {
                afterThem = Optional.of(this::askWhy);
            } catch (MalformedFrameException malformed) {
                afterThem = Optional.of(() -> end(violated(String.valueOf(malformed.getMessage()))));
            }
            handOver();
        }

        @Override
        public void stdout(ByteBuffer bytes) {
            decoder.decode(bytes, waiting::add);
        }

        @Override
        public void stderr(ByteBuffer bytes) {
            stderr.add(bytes);
        }

        @Override
        public void ended() {
            if (afterThem.isEmpty()) {
                afterThem = Optional.of(this::askWhy);
            }
            handOver();
        }

        /** Passes waiting frames on while there is room; then reads on, or ends. */
        void handOver() {
            while (ended.get() == null && (checked.isPresent() || !waiting.isEmpty())) {
                if (checked.isEmpty() && !check(waiting.remove())) {
                    continue;
                }
                if (!window.take()) {
                    connection.pause();
                    return;
                }
                GuestFrame next = checked.orElseThrow();
                checked = Optional.empty();
                deliver(next);
            }
            if (ended.get() == null) {
                afterThem.ifPresentOrElse(Runnable::run, connection::resume);
            }
        }

        /** Whether the frame is for the listener. */
        private boolean check(GuestFrame frame) {
            if (!greeted.isDone()) {
                greet(frame);
                return false;
            }
            Optional<String> objection = conduct.objection(frame);
            objection.ifPresent(sentence -> end(violated(sentence)));
            checked = objection.isPresent() ? Optional.empty() : Optional.of(frame);
            return objection.isEmpty();
        }

        private void greet(GuestFrame frame) {
            if (!(frame instanceof GuestFrame.Hello hello)) {
                end(violated("The guest did not greet first."));
            } else if (hello.protocolVersion() != GuestCodec.PROTOCOL_VERSION) {
                end(violated("The guest speaks version " + hello.protocolVersion()
                        + " of the protocol and the node version " + GuestCodec.PROTOCOL_VERSION
                        + ": the guest program in the sandbox is not the one that came with this node."));
            } else {
                greeted.complete(null);
            }
        }

        private void deliver(GuestFrame frame) {
            try {
                listener.onFrame(frame);
            } catch (RuntimeException bug) {
                LOG.error("The listener of sandbox {} failed; its channel is closed", id, bug);
                end(new ClosedBecause(Cause.CLOSED_HERE, "The node failed while handling a frame."));
            }
        }

        private void askWhy() {
            // Determined once, however often the connection's end is noticed.
            afterThem = Optional.of(() -> {});
            whyEnded.get()
                    .whenComplete((why, failure) -> end(
                            failure == null
                                    ? why
                                    : new ClosedBecause(Cause.ENGINE_LOST, String.valueOf(failure.getMessage()))));
        }

        /** Notifies the listener of the end, once and last. */
        void finish() {
            ClosedBecause why = ended.get();
            if (finished || why == null) {
                return;
            }
            finished = true;
            waiting.clear();
            String detail = stderr.text().isEmpty() ? why.detail() : why.detail() + " It said: " + stderr.text();
            ClosedBecause complete = new ClosedBecause(why.cause(), detail);
            if (greeted.completeExceptionally(new ChannelEndedException(complete))) {
                return;
            }
            try {
                listener.onClosed(complete);
            } catch (RuntimeException bug) {
                LOG.error("The listener of sandbox {} failed at the channel's end", id, bug);
            }
        }
    }
}
