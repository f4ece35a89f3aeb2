package dev.vivarium.loadtests.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Compares a trial's observations with the promises. Pure: the same trial always has the same violations. */
public final class Checker {
    private Checker() {}

    /** Every violated promise, in the order of {@link Invariant}. */
    public static List<Violation> check(Trial trial) {
        List<Violation> violations = new ArrayList<>();
        violations.addAll(JournalChecks.check(trial));
        violations.addAll(ClientChecks.check(trial));
        violations.addAll(SandboxChecks.check(trial));
        violations.addAll(EffectChecks.check(trial));
        trial.stuck()
                .forEach(what -> violations.add(new Violation(Invariant.THE_CLUSTER_RECOVERS, Optional.empty(), what)));
        violations.sort(Comparator.comparing(Violation::invariant));
        return violations;
    }
}
