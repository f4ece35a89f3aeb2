package dev.vivarium.node.sandbox;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.ChannelListener;
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
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;

/**
 * A driver whose guests obey their own clock, as the real one does: frames reach them late and in order, the last
 * {@link NodeFrame.Arm} counts from then, and when it runs out the guest ends. All guests live on one thread.
 */
final class ClockedGuests implements SandboxDriver {
    private static final int WAY_MICROS_MAX = 3_000;
    private static final SandboxSample SAMPLE = new SandboxSample(1, 1 << 20, 0, 1 << 20, 2, 2, 0, 0);

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final Map<SandboxId, Guest> guests = new ConcurrentHashMap<>();
    private final AtomicInteger endedByClock = new AtomicInteger();
    private final Random random = new Random(86);

    NodeSandboxes sandboxes() {
        return new NodeSandboxes(
                this, new ScriptedNetwork(), ConfigFactory.load().getConfig("vivarium.egress"), Runnable::run);
    }

    /** How many guests their clock has ended, before their node had them kill anything. */
    int endedByClock() {
        return endedByClock.get();
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(Set.of(Isolation.CONTAINER), Set.of(), Capabilities.Processes.ON_THIS_MACHINE);
    }

    @Override
    public synchronized CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        Guest guest = new Guest(listener, random.nextInt(WAY_MICROS_MAX));
        guests.put(id, guest);
        return CompletableFuture.completedStage(new SandboxHandle(id, guest, Map.of(), Optional.empty()));
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template) {
        return CompletableFuture.completedStage(Done.getInstance());
    }

    @Override
    public CompletionStage<Done> destroy(SandboxId id) {
        Guest gone = guests.remove(id);
        if (gone != null) {
            gone.close();
        }
        return CompletableFuture.completedStage(Done.getInstance());
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        return CompletableFuture.completedStage(List.of());
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        return CompletableFuture.completedStage(SAMPLE);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    private final class Guest implements SandboxChannel {
        private final ChannelListener listener;
        private final int wayMicros;
        private long deadlineNanos = Long.MAX_VALUE;
        private boolean isKilled;
        private boolean isOver;

        Guest(ChannelListener listener, int wayMicros) {
            this.listener = listener;
            this.wayMicros = wayMicros;
        }

        @Override
        public void send(NodeFrame frame) {
            ScheduledFuture<?> unused = thread.schedule(() -> receive(frame), wayMicros, TimeUnit.MICROSECONDS);
        }

        private void receive(NodeFrame frame) {
            look();
            if (isOver) {
                return;
            }
            if (frame instanceof NodeFrame.Arm arm) {
                long nanos = TimeUnit.MILLISECONDS.toNanos(arm.deadlineMillis());
                deadlineNanos = System.nanoTime() + nanos;
                ScheduledFuture<?> unused = thread.schedule(this::look, nanos, TimeUnit.NANOSECONDS);
            } else if (frame instanceof NodeFrame.Spawn spawn) {
                listener.onFrame(new GuestFrame.Spawned(spawn.process(), 2));
            } else if (frame instanceof NodeFrame.Ping ping) {
                listener.onFrame(new GuestFrame.Pong(ping.request()));
            } else if (frame instanceof NodeFrame.KillAll) {
                isKilled = true;
                listener.onFrame(new GuestFrame.AllGone());
            }
        }

        /** As the real guest before each step. */
        private void look() {
            if (!isOver && System.nanoTime() >= deadlineNanos) {
                endedByClock.addAndGet(isKilled ? 0 : 1);
                end(ChannelListener.Cause.SANDBOX_ENDED);
            }
        }

        private void end(ChannelListener.Cause cause) {
            if (!isOver) {
                isOver = true;
                listener.onClosed(new ChannelListener.ClosedBecause(cause, "as it does"));
            }
        }

        @Override
        public void confirm() {}

        @Override
        public void close() {
            thread.execute(() -> end(ChannelListener.Cause.CLOSED_HERE));
        }
    }
}
