package dev.vivarium.persistence.postgres;

import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs whose ids this node has generated a moment ago for itself, so that their journals are empty without a look.
 *
 * <p>That holds for the first recovery: each is taken once. An id that is not taken belongs to a run that was created on
 * another node after all, since its shard had moved. For its journal to be read here and taken for empty, the shard would have
 * to move there and back within {@link #HOLDS}, and the coordinator needs longer to move it once. Thread-safe.
 */
final class Beginnings {
    static final Duration HOLDS = Duration.ofSeconds(1);

    /** Beyond it the oldest is forgotten, and looked for. */
    static final int RUNS_MAX = 5_000;

    private final Clock clock;
    private final Map<RunId, Instant> runs = new LinkedHashMap<>();

    Beginnings(Clock monotonic) {
        this.clock = monotonic;
    }

    synchronized void add(RunId run) {
        if (runs.size() >= RUNS_MAX) {
            Iterator<RunId> oldest = runs.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        runs.put(run, clock.instant().plus(HOLDS));
    }

    /** Whether the run's journal is empty for certain; the next answer is no. */
    synchronized boolean take(RunId run) {
        Instant until = runs.remove(run);
        return until != null && clock.instant().isBefore(until);
    }
}
