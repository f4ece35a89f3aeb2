package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.follow.Row;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * States of runs that this node has just made durable, so that the list of runs need not derive them from their events
 * again. Each is used once. Holds {@link #RUNS_MAX} runs, and forgets the oldest beyond; what is not here is read from the
 * journal. Thread-safe.
 */
final class KnownRuns {
    /** More than are made durable between two steps of the list. */
    static final int RUNS_MAX = 5_000;

    private final Map<RunId, Known> runs = new LinkedHashMap<>();

    private record Known(long seq, RunState.Existing state) {}

    /** The state after the event with this number, which is durable. */
    synchronized void know(RunState.Existing state, long seq) {
        RunId run = state.submission().id();
        Known earlier = runs.get(run);
        if (earlier != null && earlier.seq() >= seq) {
            return;
        }
        if (earlier == null && runs.size() >= RUNS_MAX) {
            Iterator<RunId> oldest = runs.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        runs.put(run, new Known(seq, state));
    }

    /** The row of a run, if it is known and includes the event with this number. */
    Optional<Row<RunView>> take(RunId run, long seq) {
        return taken(run, seq).map(known -> new Row<>(known.seq(), RunView.of(known.state())));
    }

    private synchronized Optional<Known> taken(RunId run, long seq) {
        Known known = runs.get(run);
        if (known == null || known.seq() < seq) {
            return Optional.empty();
        }
        runs.remove(run);
        return Optional.of(known);
    }
}
