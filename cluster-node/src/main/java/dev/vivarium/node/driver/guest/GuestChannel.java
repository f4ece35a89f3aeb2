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
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The channel over a container's attached streams. Two threads of its own move the bytes; both end when the connection
 * does. The first frame must be the guest's greeting, which completes {@link #greeted}; the listener hears all others,
 * and hears nothing at all of a sandbox that never greeted.
 */
public final class GuestChannel implements SandboxChannel {
    private static final Logger LOG = LoggerFactory.getLogger(GuestChannel.class);
    private static final int BUFFER_BYTES = 8 * 1024;

    private final SandboxId id;
    private final Wire wire;
    private final GuestStreams streams;
    private final ChannelListener listener;
    private final Supplier<ClosedBecause> whyEnded;
    private final SendQueue queue;
    private final FrameWindow window;
    private final GuestFrameCheck conduct = new GuestFrameCheck();
    private final FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
    private final GuestStderr stderr;
    private final CompletableFuture<Void> greeted = new CompletableFuture<>();
    /** The first reason that this side had to end the channel; null while only the other side may have one. */
    private final AtomicReference<@Nullable ClosedBecause> ended = new AtomicReference<>();

    private final GuestStreams.Sink sink = new GuestStreams.Sink() {
        @Override
        public void stdout(ByteBuffer bytes) {
            decoder.decode(bytes, GuestChannel.this::handle);
        }

        @Override
        public void stderr(ByteBuffer bytes) {
            stderr.add(bytes);
        }
    };

    /**
     * @param whyEnded asks the engine, blocking, what the end of the stream means
     */
    public GuestChannel(
            SandboxId id,
            Wire wire,
            GuestStreams streams,
            ChannelLimits limits,
            ChannelListener listener,
            Supplier<ClosedBecause> whyEnded) {
        this.id = id;
        this.wire = wire;
        this.streams = streams;
        this.listener = listener;
        this.whyEnded = whyEnded;
        this.queue = new SendQueue(limits.queueBytesMax());
        this.window = new FrameWindow(limits.unconfirmedFramesMax());
        this.stderr = new GuestStderr(id);
    }

    /** Begins to move bytes. */
    public void open() {
        startThread("read", this::readUntilEnd);
        startThread("write", this::writeUntilEnd);
    }

    /** Completes with the guest's greeting; fails with {@link ChannelEndedException} when the channel ends before it. */
    public CompletableFuture<Void> greeted() {
        return greeted;
    }

    @Override
    public void send(NodeFrame frame) {
        ByteBuffer bytes = GuestCodec.encode(frame);
        conduct.sending(frame);
        queue.add(bytes);
    }

    @Override
    public void confirm() {
        window.confirm();
    }

    @Override
    public void close() {
        end(new ClosedBecause(Cause.CLOSED_HERE, "The node closed the channel."));
    }

    private void startThread(String direction, Runnable work) {
        Thread thread = new Thread(work, "vivarium-channel-" + direction + "-" + id);
        thread.setDaemon(true);
        thread.start();
    }

    private void readUntilEnd() {
        ClosedBecause why;
        try {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count = wire.read(buffer, 0, buffer.length);
                    count >= 0;
                    count = wire.read(buffer, 0, buffer.length)) {
                streams.split(ByteBuffer.wrap(buffer, 0, count), sink);
            }
            streams.end();
            why = endedHere().orElseGet(whyEnded);
        } catch (IOException broken) {
            why = endedHere().orElseGet(whyEnded);
        } catch (MalformedFrameException malformed) {
            why = violated(String.valueOf(malformed.getMessage()));
        } catch (ChannelEndedException ended) {
            why = ended.why();
        } catch (RuntimeException bug) {
            LOG.error("The listener of sandbox {} failed; its channel is closed", id, bug);
            why = new ClosedBecause(Cause.CLOSED_HERE, "The node failed while it handled a frame.");
        }
        finish(end(why));
    }

    private void handle(GuestFrame frame) {
        if (!greeted.isDone()) {
            greet(frame);
            return;
        }
        conduct.objection(frame).ifPresent(sentence -> {
            throw new ChannelEndedException(violated(sentence));
        });
        try {
            if (!window.awaitPlace()) {
                throw new ChannelEndedException(
                        endedHere().orElseThrow(() -> new IllegalStateException("A window closed by itself.")));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new ChannelEndedException(new ClosedBecause(Cause.CLOSED_HERE, "The node stopped its threads."));
        }
        listener.onFrame(frame);
    }

    private void greet(GuestFrame frame) {
        if (!(frame instanceof GuestFrame.Hello hello)) {
            throw new ChannelEndedException(violated("The guest did not greet first."));
        }
        if (hello.protocolVersion() != GuestCodec.PROTOCOL_VERSION) {
            throw new ChannelEndedException(violated("The guest speaks version " + hello.protocolVersion()
                    + " of the protocol and the node version " + GuestCodec.PROTOCOL_VERSION + "."));
        }
        greeted.complete(null);
    }

    private void writeUntilEnd() {
        try {
            Optional<ByteBuffer> bytes = queue.next();
            while (bytes.isPresent()) {
                int count = bytes.get().remaining();
                wire.write(bytes.get());
                queue.sent(count);
                bytes = queue.next();
            }
        } catch (IOException broken) {
            // The reading side meets the same end, with all that came before it, and tells the listener.
            queue.close();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the channel for the first reason that is given, and tells which that was. */
    private ClosedBecause end(ClosedBecause why) {
        ended.compareAndSet(null, why);
        queue.close();
        window.close();
        try {
            wire.close();
        } catch (IOException ignored) {
            LOG.debug("Closing the channel of sandbox {} failed", id, ignored);
        }
        return endedHere().orElse(why);
    }

    private Optional<ClosedBecause> endedHere() {
        return Optional.ofNullable(ended.get());
    }

    /** Only on the reading thread, so that nothing can come after it. */
    private void finish(ClosedBecause why) {
        String told = stderr.text().isEmpty() ? why.detail() : why.detail() + " It said: " + stderr.text();
        ClosedBecause complete = new ClosedBecause(why.cause(), told);
        if (greeted.completeExceptionally(new ChannelEndedException(complete))) {
            return;
        }
        try {
            listener.onClosed(complete);
        } catch (RuntimeException bug) {
            LOG.error("The listener of sandbox {} failed at the channel's end", id, bug);
        }
    }

    private static ClosedBecause violated(String detail) {
        return new ClosedBecause(Cause.PROTOCOL_VIOLATED, detail);
    }
}
