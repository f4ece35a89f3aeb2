package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunEvent;
import java.util.Set;
import java.util.stream.Collectors;

/** The attempts of a trial that had an agent, by the journal. */
final class Attempts {
    private Attempts() {}

    /**
     * One attempt.
     *
     * @param run its run
     * @param number its number
     */
    record Attempt(String run, int number) {}

    static Set<Attempt> started(Trial trial) {
        return trial.journals().values().stream()
                .flatMap(journal -> journal.entries().stream()
                        .map(Journal.Entry::event)
                        .filter(RunEvent.AttemptStarted.class::isInstance)
                        .map(RunEvent.AttemptStarted.class::cast)
                        .map(started -> new Attempt(journal.run(), started.attempt())))
                .collect(Collectors.toSet());
    }

    /** Those whose sandbox was not seen. */
    static Set<Attempt> unseen(Trial trial) {
        Set<Attempt> seen = trial.sandboxes().stream()
                .map(sandbox -> new Attempt(sandbox.run(), sandbox.attempt()))
                .collect(Collectors.toSet());
        return started(trial).stream()
                .filter(attempt -> !seen.contains(attempt))
                .collect(Collectors.toSet());
    }
}
