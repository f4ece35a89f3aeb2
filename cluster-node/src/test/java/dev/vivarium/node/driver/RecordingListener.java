package dev.vivarium.node.driver;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A listener that records what it receives. */
public final class RecordingListener implements ChannelListener {
    private final List<GuestFrame> frames = new ArrayList<>();
    private final CompletableFuture<ClosedBecause> closed = new CompletableFuture<>();
    private final CompletableFuture<SandboxChannel> confirming = new CompletableFuture<>();

    /** Confirms each frame on arrival from now on, and those received before immediately. */
    public void confirmOn(SandboxChannel channel) {
        synchronized (this) {
            frames.forEach(frame -> channel.confirm());
            confirming.complete(channel);
        }
    }

    @Override
    public synchronized void onFrame(GuestFrame frame) {
        if (closed.isDone()) {
            throw new AssertionError("A frame arrived after the channel was closed.");
        }
        frames.add(frame);
        if (confirming.isDone()) {
            confirming.join().confirm();
        }
    }

    @Override
    public void onClosed(ClosedBecause why) {
        if (!closed.complete(why)) {
            throw new AssertionError("The channel's end was reported twice.");
        }
    }

    public synchronized List<GuestFrame> frames() {
        return List.copyOf(frames);
    }

    public boolean isClosed() {
        return closed.isDone();
    }

    public ClosedBecause awaitClosed() {
        return closed.orTimeout(30, TimeUnit.SECONDS).join();
    }

    public <F extends GuestFrame> F await(Class<F> type) {
        return Awaitility.await(type.getSimpleName())
                .pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(30))
                .until(() -> first(type), Optional::isPresent)
                .orElseThrow();
    }

    public synchronized <F extends GuestFrame> Optional<F> first(Class<F> type) {
        return frames.stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    public synchronized long outputBytes() {
        return frames.stream()
                .mapToLong(frame -> frame instanceof GuestFrame.Output output
                        ? output.data().length()
                        : 0)
                .sum();
    }

    public synchronized String output(int process, NodeFrame.Stream stream) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (GuestFrame frame : frames) {
            if (frame instanceof GuestFrame.Output output && output.process() == process && output.stream() == stream) {
                bytes.writeBytes(output.data().toByteArray());
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Waits until the process has ended and its streams are closed. */
    public int awaitEnd(int process) {
        Awaitility.await("the end of process " + process)
                .pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(30))
                .until(() -> ended(process) && closedStreams(process) == 2);
        return frames().stream()
                .filter(frame -> frame instanceof GuestFrame.Exited exited && exited.process() == process)
                .map(frame -> ((GuestFrame.Exited) frame).exitCode())
                .findFirst()
                .orElse(-1);
    }

    private synchronized boolean ended(int process) {
        for (GuestFrame frame : frames) {
            if (frame instanceof GuestFrame.Exited exited && exited.process() == process) {
                return true;
            }
            if (frame instanceof GuestFrame.Signaled signaled && signaled.process() == process) {
                return true;
            }
        }
        return false;
    }

    private synchronized long closedStreams(int process) {
        return frames.stream()
                .filter(frame -> frame instanceof GuestFrame.OutputClosed over && over.process() == process)
                .count();
    }
}
