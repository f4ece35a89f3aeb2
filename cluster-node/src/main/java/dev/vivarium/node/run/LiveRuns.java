package dev.vivarium.node.run;

import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The runs on this node that have been accepted and have not ended: what the node's capacity is counted in. */
public final class LiveRuns {
    private final int max;
    private final Set<RunId> runs = ConcurrentHashMap.newKeySet();

    /** @param max the most that the node takes */
    public LiveRuns(int max) {
        this.max = max;
    }

    int max() {
        return max;
    }

    boolean isFull() {
        return runs.size() >= max;
    }

    /** Takes a place for a new run if there is one. */
    synchronized boolean tryAdd(RunId run) {
        return runs.contains(run) || (!isFull() && runs.add(run));
    }

    void add(RunId run) {
        runs.add(run);
    }

    void remove(RunId run) {
        runs.remove(run);
    }

    public int count() {
        return runs.size();
    }
}
