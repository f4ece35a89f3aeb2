package dev.vivarium.node.driver.idle;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.EgressUse;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.WaitingSandbox;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts nothing. Its sandboxes are names in the node's memory; an agent of the command {@code sleep} stays until it is
 * ended, and any other has ended well at once. Everything else of a node is as always, so what a node with it does in a
 * second is what the control plane can do ({@code ./vivarium bench control-plane}). No code of a user ever runs on it.
 */
public final class IdleDriver implements SandboxDriver {
    private static final Logger LOG = LoggerFactory.getLogger(IdleDriver.class);
    private static final SandboxSample IDLE = new SandboxSample(0, 0, 0, 0, 1, 1, 0, 0);
    private static final String STAYS = "sleep";
    private static final int PID = 2;

    private final Map<SandboxId, ChannelListener> sandboxes = new ConcurrentHashMap<>();

    /** Opens it, and says in the log that this node runs nothing. */
    public static IdleDriver open() {
        LOG.warn(
                "This node starts nothing: vivarium.driver.kind is idle, which is for measuring nodes. No agent runs.");
        return new IdleDriver();
    }

    private IdleDriver() {}

    @Override
    public Set<Isolation> isolations() {
        return Set.of(Isolation.CONTAINER);
    }

    @Override
    public Set<EgressPolicy.Mode> egressModes() {
        return Set.of(EgressPolicy.Mode.NONE);
    }

    @Override
    public CompletionStage<WaitingSandbox> create(SandboxId id, SandboxTemplate template, ChannelListener listener) {
        sandboxes.put(id, listener);
        return CompletableFuture.completedStage(new WaitingSandbox(new Channel(listener), Map.of()));
    }

    @Override
    public CompletionStage<WaitingSandbox> createFor(
            AttemptName attempt, SandboxId id, SandboxTemplate template, ChannelListener listener) {
        return create(id, template, listener);
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt) {
        if (!sandboxes.containsKey(id)) {
            return CompletableFuture.failedStage(
                    new DriverException(DriverException.Kind.SANDBOX_UNKNOWN, "There is no sandbox " + id + "."));
        }
        return done();
    }

    @Override
    public void entrust(SandboxId id, Map<String, String> secrets) {
        // Nothing of these sandboxes ever asks for anything.
    }

    @Override
    public CompletionStage<Done> destroy(SandboxId id) {
        sandboxes.remove(id);
        return done();
    }

    @Override
    public CompletionStage<List<SandboxId>> listOwned() {
        return CompletableFuture.completedStage(List.copyOf(sandboxes.keySet()));
    }

    @Override
    public CompletionStage<Map<SandboxId, String>> listOfOthers() {
        return CompletableFuture.completedStage(Map.of());
    }

    @Override
    public CompletionStage<Integer> destroyBefore(AttemptName attempt) {
        // An earlier attempt's sandbox here would be owned by the same run, which has it destroyed; elsewhere it is
        // gone
        // with its node. Looking through all for each run would be measured, and is not what an engine takes.
        return CompletableFuture.completedStage(0);
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        return CompletableFuture.completedStage(IDLE);
    }

    @Override
    public CompletionStage<EgressUse> egress(SandboxId id) {
        return CompletableFuture.completedStage(EgressUse.NOTHING);
    }

    @Override
    public void close() {
        sandboxes.clear();
    }

    private static CompletionStage<Done> done() {
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** Answers as a guest does whose processes do nothing. */
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
