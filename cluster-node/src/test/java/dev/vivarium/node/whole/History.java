package dev.vivarium.node.whole;

import java.util.Set;

/** Types of events in a run's history. */
final class History {
    private static final Set<String> ENDS =
            Set.of("RunSucceeded", "RunFailed", "RunNotStarted", "RunKilled", "RunCancelled", "RunLost");

    private History() {}

    /** Whether an event of this type is the last one. */
    static boolean isEnd(String type) {
        return ENDS.contains(type);
    }
}
