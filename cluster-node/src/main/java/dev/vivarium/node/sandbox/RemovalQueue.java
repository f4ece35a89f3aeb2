package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxId;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The order in which a node removes sandboxes in which nothing runs any more. A removal keeps an engine busy a hundred
 * times as long as a kill does. So removals wait while kills are in progress, and no more run concurrently than there
 * are processors. Thread-safe.
 */
public final class RemovalQueue {
    private final int atOnceMax;
    private final Set<SandboxId> kills = new HashSet<>();
    private final Set<SandboxId> underWay = new HashSet<>();
    private final Map<SandboxId, Runnable> waiting = new LinkedHashMap<>();

    /** For the machine that this node runs on. */
    public RemovalQueue() {
        this(Runtime.getRuntime().availableProcessors());
    }

    RemovalQueue(int atOnceMax) {
        this.atOnceMax = atOnceMax;
    }

    /** The sandbox's processes are being killed, until {@link #await} or {@link #removing}. */
    synchronized void killing(SandboxId id) {
        kills.add(id);
    }

    /**
     * Nothing runs in the sandbox any more.
     *
     * @param turn run once, on any thread, when the sandbox's turn to be removed has come
     */
    void await(SandboxId id, Runnable turn) {
        synchronized (this) {
            kills.remove(id);
            waiting.put(id, turn);
        }
        giveTurns();
    }

    /** The sandbox is being removed, in its turn or out of turn. */
    void removing(SandboxId id) {
        synchronized (this) {
            kills.remove(id);
            waiting.remove(id);
            underWay.add(id);
        }
        giveTurns();
    }

    /** The sandbox is gone, or its removal is no longer waited for. */
    void over(SandboxId id) {
        synchronized (this) {
            kills.remove(id);
            waiting.remove(id);
            underWay.remove(id);
        }
        giveTurns();
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
        underWay.add(first);
        return Optional.ofNullable(waiting.remove(first));
    }
}
