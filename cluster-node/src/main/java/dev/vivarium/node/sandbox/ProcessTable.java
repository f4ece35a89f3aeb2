package dev.vivarium.node.sandbox;

import java.util.HashMap;
import java.util.Map;

/**
 * The processes that this node has started in a sandbox, by the ids that it gave them; the run's own command is
 * {@link AgentStart#PROCESS}. Owned by one Sandbox actor; not safe for use by others.
 */
final class ProcessTable {
    private final Map<Integer, State> processes = new HashMap<>();

    private enum State {
        ORDERED,
        STARTED
    }

    /** The guest was sent the order to start it. */
    void ordered(int process) {
        processes.put(process, State.ORDERED);
    }

    /** The guest says that it runs. */
    void started(int process) {
        processes.replace(process, State.STARTED);
    }

    boolean isOrdered(int process) {
        return processes.containsKey(process);
    }

    boolean isStarted(int process) {
        return processes.get(process) == State.STARTED;
    }
}
