package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxId;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The order in which the sandboxes of a node are taken away once nothing runs in them any more. To remove one keeps an
 * engine busy for a hundred times as long as it takes to kill what runs in it; so while kills are under way removals wait,
 * and never more of them are begun at once than there are processors. Safe for use by any thread.
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

    /** The processes of the sandbox are being killed, until it waits for its removal, or is removed at once. */
    synchronized void killing(SandboxId id) {
        kills.add(id);
    }

    /**
     * Nothing runs in the sandbox any more.
     *
     * @param turn run once, by any thread, when it is this one's turn to be removed
     */
    void await(SandboxId id, Runnable turn) {
        synchronized (this) {
            kills.remove(id);
            waiting.put(id, turn);
        }
        giveTurns();
    }

    /** It is being removed, in its turn or out of it. */
    void removing(SandboxId id) {
        synchronized (this) {
            kills.remove(id);
            waiting.remove(id);
            underWay.add(id);
        }
        giveTurns();
    }

    /** It is removed, or nobody here waits for that any more. */
    void over(SandboxId id) {
        synchronized (this) {
            kills.remove(id);
            waiting.remove(id);
            underWay.remove(id);
        }
        giveTurns();
    }

    /** How many have not had their turn. */
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
