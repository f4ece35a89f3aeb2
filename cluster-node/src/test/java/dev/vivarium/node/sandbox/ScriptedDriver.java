package dev.vivarium.node.sandbox;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.pekko.Done;

/**
 * A driver whose sandboxes do what the test scripts: it plays a well-behaved guest, starts nothing, and records its calls.
 * For tests of the node's decisions; the behaviour of real engines is covered by the drivers' tests.
 */
public final class ScriptedDriver implements SandboxDriver {
    /** How guests answer by default. */
    public enum Manners {
        /** Answers files, starts and kills like a well-behaved guest. */
        POLITE,
        /** Starts the agent and then stops answering. */
        DEAF_AFTER_START,
        /** As {@link #POLITE}, but pings stay unanswered until the test answers them. */
        SLOW_TO_CONFIRM,
        /** Greets, and ends before its owner is notified. */
        GONE_AFTER_GREETING
    }

    /** The content of every file in its sandboxes. */
    private static final Blob FILE = Blob.ofUtf8("result");

    private final ScriptedNetwork network = new ScriptedNetwork();
    private final Map<SandboxId, String> ofOthers = new ConcurrentHashMap<>();
    private final Map<SandboxId, ChannelListener> live = new ConcurrentHashMap<>();
    private final Map<SandboxId, AttemptName> claims = new ConcurrentHashMap<>();
    private final Map<SandboxId, ScriptedChannel> channels = new ConcurrentHashMap<>();
    private final List<NodeFrame> sent = new CopyOnWriteArrayList<>();
    private final List<SandboxId> destroyed = new CopyOnWriteArrayList<>();
    private final Queue<DriverException> createFailures = new ArrayDeque<>();
    private final Queue<DriverException> claimFailures = new ArrayDeque<>();
    private final Queue<DriverException> destroyFailures = new ArrayDeque<>();
    private volatile SandboxSample sample = new SandboxSample(1, 1 << 20, 0, 1 << 20, 2, 2, 0, 0);
    private volatile Optional<SandboxSample> sampleAfterKill = Optional.empty();
    private volatile Optional<DriverException> sampleFailure = Optional.empty();
    private final AtomicInteger samplesFailed = new AtomicInteger();
    private volatile Manners manners = Manners.POLITE;
    private volatile Map<String, String> imageEnvironment = Map.of();

    public void behave(Manners newManners) {
        manners = newManners;
    }

    /** Sets the image's environment of later sandboxes. */
    public void setImageEnvironment(Map<String, String> environment) {
        imageEnvironment = environment;
    }

    /** The network beside it. */
    public ScriptedNetwork network() {
        return network;
    }

    /** Its sandboxes with their networks. */
    public NodeSandboxes sandboxes() {
        return new NodeSandboxes(this, network, ConfigFactory.load().getConfig("vivarium.egress"), Runnable::run);
    }

    public void use(SandboxSample newSample) {
        sample = newSample;
    }

    /** Sets the sample after every process has been killed. */
    public void onKill(SandboxSample last) {
        sampleAfterKill = Optional.of(last);
    }

    /** Makes every sample fail from now on. */
    public void failSamples(DriverException failure) {
        sampleFailure = Optional.of(failure);
    }

    public int samplesFailed() {
        return samplesFailed.get();
    }

    public synchronized void failNextCreate(DriverException failure) {
        createFailures.add(failure);
    }

    public synchronized void failNextClaim(DriverException failure) {
        claimFailures.add(failure);
    }

    public synchronized void failNextDestroy(DriverException failure) {
        destroyFailures.add(failure);
    }

    /** How many creations are still to fail. */
    public synchronized int failuresLeft() {
        return createFailures.size();
    }

    public List<NodeFrame> sent() {
        return sent;
    }

    public Set<SandboxId> live() {
        return live.keySet();
    }

    public List<SandboxId> destroyed() {
        return destroyed;
    }

    public Map<SandboxId, AttemptName> claims() {
        return claims;
    }

    /** Puts a sandbox into the engine that this node does not know. */
    public void leave(SandboxId id) {
        live.put(id, new ChannelListener() {
            @Override
            public void onFrame(GuestFrame frame) {}

            @Override
            public void onClosed(ClosedBecause why) {}
        });
    }

    /** Has every live guest send the frame. */
    public void emit(GuestFrame frame) {
        live.values().forEach(listener -> listener.onFrame(frame));
    }

    /** Ends every live channel. */
    public void hangUp(ChannelListener.Cause cause) {
        live.values().forEach(listener -> listener.onClosed(new ChannelListener.ClosedBecause(cause, "as scripted")));
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                Set.of(Isolation.CONTAINER), Set.of(Isolation.CONTAINER), Capabilities.Processes.ON_THIS_MACHINE);
    }

    @Override
    public synchronized CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        DriverException failure = createFailures.poll();
        if (failure != null) {
            return CompletableFuture.failedStage(failure);
        }
        if (live.putIfAbsent(id, listener) != null) {
            return refused(DriverException.Kind.REFUSED);
        }
        if (purpose instanceof Purpose.ForAttempt claimed) {
            if (isClaimed(claimed.attempt())) {
                live.remove(id);
                return refused(DriverException.Kind.ATTEMPT_CLAIMED);
            }
            claims.put(id, claimed.attempt());
        }
        if (manners == Manners.GONE_AFTER_GREETING) {
            listener.onClosed(
                    new ChannelListener.ClosedBecause(ChannelListener.Cause.SANDBOX_ENDED, "gone after its greeting"));
        }
        ScriptedChannel channel = new ScriptedChannel(listener);
        channels.put(id, channel);
        return CompletableFuture.completedStage(new SandboxHandle(id, channel, imageEnvironment, Optional.empty()));
    }

    @Override
    public synchronized CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template) {
        if (!live.containsKey(id)) {
            return refused(DriverException.Kind.SANDBOX_UNKNOWN);
        }
        DriverException failure = claimFailures.poll();
        if (failure != null) {
            return CompletableFuture.failedStage(failure);
        }
        if (claims.containsKey(id)) {
            return refused(DriverException.Kind.REFUSED);
        }
        if (isClaimed(attempt)) {
            return refused(DriverException.Kind.ATTEMPT_CLAIMED);
        }
        claims.put(id, attempt);
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** Ends the sandbox of itself. */
    public void end(SandboxId id) {
        channels.get(id).close();
    }

    private boolean isClaimed(AttemptName attempt) {
        return claims.entrySet().stream()
                .anyMatch(claim -> claim.getValue().equals(attempt) && live.containsKey(claim.getKey()));
    }

    private static <T> CompletionStage<T> refused(DriverException.Kind kind) {
        return CompletableFuture.failedStage(new DriverException(kind, "As scripted."));
    }

    @Override
    public synchronized CompletionStage<Done> destroy(SandboxId id) {
        DriverException failure = destroyFailures.poll();
        if (failure != null) {
            return CompletableFuture.failedStage(failure);
        }
        ScriptedChannel channel = channels.remove(id);
        if (channel != null) {
            channel.close();
        }
        live.remove(id);
        ofOthers.remove(id);
        destroyed.add(id);
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** Puts a sandbox into the engine that another node made. */
    public void leaveOf(String node, SandboxId id) {
        ofOthers.put(id, node);
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        Stream<ListedSandbox> own = live.keySet().stream()
                .filter(id -> isSelected(id, selection))
                .map(id -> new ListedSandbox(id, new ListedSandbox.ThisNode()));
        Stream<ListedSandbox> others = ofOthers.entrySet().stream()
                .filter(other -> isSelected(other.getKey(), selection))
                .map(other -> new ListedSandbox(other.getKey(), new ListedSandbox.OtherNode(other.getValue())));
        return CompletableFuture.completedStage(Stream.concat(own, others).toList());
    }

    private boolean isSelected(SandboxId id, Selection selection) {
        if (!(selection instanceof Selection.EarlierThan earlier)) {
            return true;
        }
        AttemptName claim = claims.get(id);
        return claim != null
                && claim.run().equals(earlier.attempt().run())
                && claim.attempt() < earlier.attempt().attempt();
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        if (!live.containsKey(id)) {
            return refused(DriverException.Kind.SANDBOX_UNKNOWN);
        }
        if (sampleFailure.isPresent()) {
            samplesFailed.incrementAndGet();
            return CompletableFuture.failedStage(sampleFailure.get());
        }
        return CompletableFuture.completedStage(sample);
    }

    @Override
    public void close() {}

    private final class ScriptedChannel implements SandboxChannel {
        private final AtomicBoolean closed = new AtomicBoolean();
        private final ChannelListener listener;

        ScriptedChannel(ChannelListener listener) {
            this.listener = listener;
        }

        @Override
        public void send(NodeFrame frame) {
            // Like a real channel: a frame that cannot be encoded is refused to the sender.
            GuestCodec.encode(frame);
            if (closed.get()) {
                return;
            }
            sent.add(frame);
            if (frame instanceof NodeFrame.WriteFile file) {
                listener.onFrame(new GuestFrame.Done(file.request(), 0));
            } else if (frame instanceof NodeFrame.ReadFile read) {
                listener.onFrame(new GuestFrame.FileRead(read.request(), 0, 0644, FILE.length(), FILE));
            } else if (frame instanceof NodeFrame.Ping ping && manners != Manners.SLOW_TO_CONFIRM) {
                listener.onFrame(new GuestFrame.Pong(ping.request()));
            } else if (frame instanceof NodeFrame.Spawn spawn) {
                listener.onFrame(new GuestFrame.Spawned(spawn.process(), 2));
            } else if (frame instanceof NodeFrame.KillAll && manners != Manners.DEAF_AFTER_START) {
                sampleAfterKill.ifPresent(last -> sample = last);
                listener.onFrame(new GuestFrame.AllGone());
            }
        }

        @Override
        public void confirm() {}

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                listener.onClosed(
                        new ChannelListener.ClosedBecause(ChannelListener.Cause.CLOSED_HERE, "closed by its owner"));
            }
        }
    }
}
