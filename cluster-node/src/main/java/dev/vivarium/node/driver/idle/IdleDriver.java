package dev.vivarium.node.driver.idle;

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
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts nothing. Its sandboxes are entries in the node's memory; an agent with the command {@code sleep} runs until it
 * is ended, and any other exits immediately with code 0. Everything else in the node is unchanged, so that its
 * throughput is that of the control plane ({@code ./vivarium bench control-plane}). It never runs user code.
 */
public final class IdleDriver implements SandboxDriver {
    private static final Logger LOG = LoggerFactory.getLogger(IdleDriver.class);
    private static final SandboxSample IDLE = new SandboxSample(0, 0, 0, 0, 1, 1, 0, 0);
    private static final String STAYS = "sleep";
    private static final int PID = 2;

    private final Map<SandboxId, Sandbox> sandboxes = new ConcurrentHashMap<>();
    private final Map<AttemptName, SandboxId> claims = new ConcurrentHashMap<>();

    /** A sandbox, and the attempt that claimed it. */
    private static final class Sandbox {
        final Channel channel;
        final AtomicReference<@Nullable AttemptName> claimed = new AtomicReference<>();

        Sandbox(Channel channel) {
            this.channel = channel;
        }
    }

    /** Opens it, and logs that this node runs nothing. */
    public static IdleDriver open() {
        LOG.warn(
                "This node starts nothing: vivarium.driver.kind is idle, which is for measuring nodes. No agent runs.");
        return new IdleDriver();
    }

    private IdleDriver() {}

    @Override
    public Capabilities capabilities() {
        return new Capabilities(Set.of(Isolation.CONTAINER), Set.of(), Capabilities.Processes.ELSEWHERE);
    }

    @Override
    public CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        Sandbox made = new Sandbox(new Channel(listener));
        if (sandboxes.putIfAbsent(id, made) != null) {
            return refused(DriverException.Kind.REFUSED, "There is a sandbox " + id + " already.");
        }
        if (purpose instanceof Purpose.ForAttempt claimed) {
            Optional<DriverException> refusal = claim(id, made, claimed.attempt());
            if (refusal.isPresent()) {
                sandboxes.remove(id);
                return CompletableFuture.failedStage(refusal.get());
            }
        }
        return CompletableFuture.completedStage(new SandboxHandle(id, made.channel, Map.of(), Optional.empty()));
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template) {
        Sandbox known = sandboxes.get(id);
        if (known == null) {
            return refused(DriverException.Kind.SANDBOX_UNKNOWN, "There is no sandbox " + id + ".");
        }
        return claim(id, known, attempt)
                .map(CompletableFuture::<Done>failedStage)
                .orElseGet(IdleDriver::done);
    }

    private Optional<DriverException> claim(SandboxId id, Sandbox sandbox, AttemptName attempt) {
        if (!sandbox.claimed.compareAndSet(null, attempt)) {
            return Optional.of(
                    new DriverException(DriverException.Kind.REFUSED, "The sandbox already serves an attempt."));
        }
        if (claims.putIfAbsent(attempt, id) != null) {
            sandbox.claimed.set(null);
            return Optional.of(new DriverException(
                    DriverException.Kind.ATTEMPT_CLAIMED,
                    "Attempt " + attempt.attempt() + " of run " + attempt.run() + " already has a sandbox."));
        }
        return Optional.empty();
    }

    @Override
    public CompletionStage<Done> destroy(SandboxId id) {
        Sandbox gone = sandboxes.remove(id);
        if (gone != null) {
            AttemptName attempt = gone.claimed.get();
            if (attempt != null) {
                claims.remove(attempt);
            }
            gone.channel.close();
        }
        return done();
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        if (selection instanceof Selection.EarlierThan earlier) {
            // By attempt rather than by scanning all sandboxes: many attempts may ask concurrently.
            return CompletableFuture.completedStage(
                    IntStream.range(1, earlier.attempt().attempt())
                            .mapToObj(number ->
                                    claims.get(new AttemptName(earlier.attempt().run(), number)))
                            .filter(Objects::nonNull)
                            .map(IdleDriver::own)
                            .toList());
        }
        return CompletableFuture.completedStage(
                sandboxes.keySet().stream().map(IdleDriver::own).toList());
    }

    private static ListedSandbox own(SandboxId id) {
        return new ListedSandbox(id, new ListedSandbox.ThisNode());
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        return sandboxes.containsKey(id)
                ? CompletableFuture.completedStage(IDLE)
                : refused(DriverException.Kind.SANDBOX_UNKNOWN, "There is no sandbox " + id + ".");
    }

    @Override
    public void close() {
        List.copyOf(sandboxes.keySet()).forEach(this::destroy);
    }

    private static <T> CompletionStage<T> refused(DriverException.Kind kind, String sentence) {
        return CompletableFuture.failedStage(new DriverException(kind, sentence));
    }

    private static CompletionStage<Done> done() {
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** Answers like a guest whose processes do nothing. */
    private static final class Channel implements SandboxChannel {
        private final ChannelListener listener;
        private final AtomicBoolean closed = new AtomicBoolean();

        Channel(ChannelListener listener) {
            this.listener = listener;
        }

        @Override
        public void send(NodeFrame frame) {
            if (closed.get()) {
                return;
            }
            if (frame instanceof NodeFrame.WriteFile file) {
                listener.onFrame(new GuestFrame.Done(file.request(), 0));
            } else if (frame instanceof NodeFrame.Spawn spawn) {
                listener.onFrame(new GuestFrame.Spawned(spawn.process(), PID));
                if (!STAYS.equals(spawn.argv().get(0))) {
                    listener.onFrame(new GuestFrame.Exited(spawn.process(), 0));
                }
            } else if (frame instanceof NodeFrame.KillAll) {
                listener.onFrame(new GuestFrame.AllGone());
            } else if (frame instanceof NodeFrame.Ping ping) {
                listener.onFrame(new GuestFrame.Pong(ping.request()));
            }
        }

        @Override
        public void confirm() {
            // What it sends is bounded by what it is asked.
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                listener.onClosed(
                        new ChannelListener.ClosedBecause(ChannelListener.Cause.CLOSED_HERE, "closed by its owner"));
            }
        }
    }
}
