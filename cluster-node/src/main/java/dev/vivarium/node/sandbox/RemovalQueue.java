package dev.vivarium.node.sandbox;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The order in which a node removes sandboxes in which nothing runs any more. A removal keeps an engine busy a hundred
 * times as long as a kill does, and takes as much of the processors as a start from the pool. So removals wait while kills
 * are in progress, a moment while agents start, and no more run concurrently than there are processors. Thread-safe.
 */
public final class RemovalQueue {
    /** How long a removal waits for starts: under a steady load there is always one. */
    private static final Duration YIELD_MAX = Duration.ofMillis(500);

    private final int atOnceMax;
    private final NodeClock clock;
    private final Set<SandboxId> starts = new HashSet<>();
    private final Set<SandboxId> kills = new HashSet<>();
    private final Set<SandboxId> underWay = new HashSet<>();
    private final Map<SandboxId, Waiting> waiting = new LinkedHashMap<>();

    private record Waiting(long sinceNanos, Runnable turn) {}

    /** For the machine that this node runs on. */
    public RemovalQueue(NodeClock clock) {
        this(Runtime.getRuntime().availableProcessors(), clock);
    }

    RemovalQueue(int atOnceMax, NodeClock clock) {
        this.atOnceMax = atOnceMax;
        this.clock = clock;
    }

    /** The sandbox's agent is about to start, until {@link #started} or any of the steps towards its end. */
    synchronized void starting(SandboxId id) {
        starts.add(id);
    }

    /** The sandbox's agent runs. */
    void started(SandboxId id) {
        synchronized (this) {
            starts.remove(id);
        }
        giveTurns();
    }

    /** The sandbox's processes are being killed, until {@link #await} or {@link #removing}. */
    synchronized void killing(SandboxId id) {
        starts.remove(id);
        kills.add(id);
    }

    /**
     * Nothing runs in the sandbox any more.
     *
     * @param turn run once, on any thread, when the sandbox's turn to be removed has come
     */
    void await(SandboxId id, Runnable turn) {
        synchronized (this) {
            forget(id);
            waiting.put(id, new Waiting(clock.nanos(), turn));
        }
        giveTurns();
    }

    /** The sandbox is being removed, in its turn or out of turn. */
    void removing(SandboxId id) {
        synchronized (this) {
            forget(id);
            underWay.add(id);
        }
        giveTurns();
    }

    /** The sandbox is gone, or its removal is no longer waited for. */
    void over(SandboxId id) {
        synchronized (this) {
            forget(id);
            underWay.remove(id);
        }
        giveTurns();
    }

    private void forget(SandboxId id) {
        starts.remove(id);
        kills.remove(id);
        waiting.remove(id);
    }

    /** The number of sandboxes that wait for their turn. */
    synchronized int waiting() {
        return waiting.size();
    }

    private void giveTurns() {
        for (Optional<Runnable> turn = next(); turn.isPresent(); turn = next()) {
            turn.get().run();
        }
    }

    private synchronized Optional<Runnable> next() {
        if (!kills.isEmpty() || underWay.size() >= atOnceMax || waiting.isEmpty()) {
            return Optional.empty();
        }
        SandboxId first = waiting.keySet().iterator().next();
        return Optional.ofNullable(waiting.get(first))
                .filter(next -> starts.isEmpty() || clock.nanos() - next.sinceNanos >= YIELD_MAX.toNanos())
                .map(next -> {
                    waiting.remove(first);
                    underWay.add(first);
                    return next.turn;
                });
    }
}
