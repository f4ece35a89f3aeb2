package dev.vivarium.node.whole;

import java.util.Set;

/** The words of a run's history. */
final class History {
    private static final Set<String> ENDS =
            Set.of("RunSucceeded", "RunFailed", "RunNotStarted", "RunKilled", "RunCancelled", "RunLost");

    private History() {}

    /** Whether nothing may follow after an event of this type. */
    static boolean isEnd(String type) {
        return ENDS.contains(type);
    }
}
