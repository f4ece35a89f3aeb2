package dev.vivarium.node.pool;

import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sandboxes of a node that have booted and wait for a run, by their kind. Taking one never waits. A {@link PoolKeeper} fills it; without one it stays empty.
 * Thread-safe.
 */
public final class WarmPool {
    private static final Logger LOG = LoggerFactory.getLogger(WarmPool.class);

    private final SandboxDriver driver;
    private final Sandboxes sandboxes;
    private final Map<PoolKind, Deque<WaitingSandbox>> shelves = new ConcurrentHashMap<>();
    /** From before a sandbox is created until it has another owner, or is being destroyed. */
    private final Set<SandboxId> own = ConcurrentHashMap.newKeySet();

    private final LongAdder warm = new LongAdder();
    private final LongAdder cold = new LongAdder();
    private volatile Optional<Consumer<PoolKind>> keeper = Optional.empty();
    private volatile int ceiling;

    /** Creates and destroys sandboxes that wait. */
    public interface Sandboxes {
        /** Creates one, with its link if its kind has one. When the stage fails, nothing is left behind. */
        CompletionStage<SandboxHandle> make(SandboxId id, PoolKind kind, ChannelListener listener);

        /** Destroys one with all that belongs to it. Idempotent. */
        CompletionStage<Done> destroy(SandboxId id);
    }

    /**
     * @param driver tells how sandboxes wait
     * @param sandboxes creates and destroys them
     */
    public WarmPool(SandboxDriver driver, Sandboxes sandboxes) {
        this.driver = driver;
        this.sandboxes = sandboxes;
    }

    /**
     * Takes a sandbox that can serve a run with this template; empty when none waits. The caller becomes its owner with
     * {@link #handedOver}, and must claim or destroy it.
     */
    public Optional<WaitingSandbox> take(SandboxTemplate wanted, PoolKind.Link link) {
        Optional<Consumer<PoolKind>> filling = keeper;
        if (filling.isEmpty() || !driver.capabilities().waiting().contains(wanted.isolation())) {
            cold.increment();
            return Optional.empty();
        }
        Optional<PoolKind> kind = kind(wanted, link);
        Optional<WaitingSandbox> taken = kind.flatMap(this::poll);
        (taken.isPresent() ? warm : cold).increment();
        kind.ifPresent(filling.get());
        return taken;
    }

    private Optional<WaitingSandbox> poll(PoolKind kind) {
        Deque<WaitingSandbox> shelf = shelves.get(kind);
        if (shelf == null) {
            return Optional.empty();
        }
        WaitingSandbox next = shelf.pollFirst();
        while (next != null && next.isGone()) {
            discard(next);
            next = shelf.pollFirst();
        }
        return Optional.ofNullable(next);
    }

    /** The sandbox has another owner, which is known as such by now. */
    public void handedOver(WaitingSandbox taken) {
        own.remove(taken.id());
    }

    /** Destroys all that wait as this one did: it turned out that they cannot serve. */
    public void distrust(SandboxTemplate wanted, PoolKind.Link link) {
        kind(wanted, link).ifPresent(this::clear);
    }

    /** Whether the sandbox belongs to the pool. Ask before asking who else may own it. */
    public boolean owns(SandboxId id) {
        return own.contains(id);
    }

    /** How many wait. */
    public int waiting() {
        return shelves.values().stream().mapToInt(Deque::size).sum();
    }

    /** How many may wait now. */
    public int ceiling() {
        return ceiling;
    }

    /** How many runs have got one that waited. */
    public long warm() {
        return warm.sum();
    }

    /** How many runs have got a new one. */
    public long cold() {
        return cold.sum();
    }

    // ---- for the keeper

    /** @param onTaken called for each run that asks, with the kind that would serve it */
    void open(Consumer<PoolKind> onTaken) {
        keeper = Optional.of(onTaken);
    }

    void limit(int most) {
        ceiling = most;
    }

    Optional<PoolKind> kind(SandboxTemplate wanted, PoolKind.Link link) {
        return driver.waiting(wanted).map(template -> new PoolKind(template, link));
    }

    /**
     * Creates a sandbox, which waits from then on. Completes with it.
     *
     * @param onGone called when it ends while it waits
     */
    CompletionStage<WaitingSandbox> make(PoolKind kind, long nowNanos, Runnable onGone) {
        SandboxId id = SandboxId.fresh();
        WaitingSandbox waiting = new WaitingSandbox(id, nowNanos, onGone);
        own.add(id);
        return sandboxes
                .make(id, kind, waiting)
                .thenApply(handle -> {
                    waiting.ready(handle);
                    shelves.computeIfAbsent(kind, any -> new ConcurrentLinkedDeque<>())
                            .addLast(waiting);
                    if (keeper.isEmpty()) {
                        // Closed meanwhile.
                        clear(kind);
                    }
                    return waiting;
                })
                .whenComplete((made, failure) -> {
                    if (failure != null) {
                        own.remove(id);
                    }
                });
    }

    int waiting(PoolKind kind) {
        Deque<WaitingSandbox> shelf = shelves.get(kind);
        return shelf == null ? 0 : shelf.size();
    }

    /** Destroys the oldest one of the kind. */
    void giveUp(PoolKind kind) {
        poll(kind).ifPresent(this::discard);
    }

    /** Destroys those of the kind that have ended, or were created before this time. */
    void giveUpBefore(PoolKind kind, long nanos) {
        Deque<WaitingSandbox> shelf = shelves.get(kind);
        if (shelf == null) {
            return;
        }
        for (WaitingSandbox each : List.copyOf(shelf)) {
            // Whoever removes it from the shelf owns it.
            if ((each.isGone() || each.madeNanos() - nanos < 0) && shelf.remove(each)) {
                discard(each);
            }
        }
    }

    void clear(PoolKind kind) {
        for (Optional<WaitingSandbox> next = poll(kind); next.isPresent(); next = poll(kind)) {
            discard(next.get());
        }
    }

    /** Destroys all, and keeps none from now on. */
    void close() {
        keeper = Optional.empty();
        ceiling = 0;
        shelves.keySet().forEach(this::clear);
    }

    private void discard(WaitingSandbox given) {
        CompletableFuture<?> unused = sandboxes
                .destroy(given.id())
                .handle((gone, failure) -> {
                    // What is left of it is an orphan now, which the reaper sees.
                    own.remove(given.id());
                    if (failure != null) {
                        LOG.warn(
                                "Sandbox {}, which waited, stays until the next sweep: {}",
                                given.id(),
                                failure.getMessage());
                    }
                    return gone;
                })
                .toCompletableFuture();
    }
}
