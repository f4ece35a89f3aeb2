package dev.vivarium.persistence.audit;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;

/**
 * What the sequencer knows of a run: which of its events have a position, and what only its first event says.
 *
 * @param seq the number of the run's last event with a position; 0 before the first
 * @param submittedAt when the run was submitted
 * @param denied what the attempt's events have said of denials so far, since these counts are cumulative
 */
public record RunFacts(
        RunId run,
        long seq,
        Phase phase,
        Instant submittedAt,
        String tenant,
        String image,
        Map<String, String> labels,
        Denied denied) {
    public RunFacts {
        labels = Map.copyOf(labels);
    }

    /** Whether events may follow. */
    public enum Phase {
        LIVE,
        ENDED
    }

    /**
     * Denials of an attempt.
     *
     * @param attempt the attempt; 0 before any
     * @param counts how often each destination was tried
     */
    public record Denied(int attempt, Map<String, Long> counts) {
        static final Denied NONE = new Denied(0, Map.of());

        public Denied {
            counts = Map.copyOf(counts);
        }
    }

    /** A run of which no event has a position. */
    static RunFacts unknown(RunId run) {
        return new RunFacts(run, 0, Phase.LIVE, Instant.EPOCH, "", "", Map.of(), Denied.NONE);
    }
}
