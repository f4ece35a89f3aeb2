package dev.vivarium.node.run;

import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The runs on this node that have been accepted and have not ended: what the node's capacity is counted in. */
public final class LiveRuns {
    private final Set<RunId> runs = ConcurrentHashMap.newKeySet();

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
