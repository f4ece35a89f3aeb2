package dev.vivarium.loadtests.history;

import java.util.Optional;

/**
 * A violated promise.
 *
 * @param invariant the promise
 * @param run the run concerned; empty for none
 * @param what what was observed instead, as a sentence
 */
public record Violation(Invariant invariant, Optional<String> run, String what) {
    static Violation of(Invariant invariant, String run, String what) {
        return new Violation(invariant, Optional.of(run), what);
    }
}
