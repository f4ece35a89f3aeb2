package dev.vivarium.loadtests.history;

import java.util.Optional;

/**
 * A promise that was not kept.
 *
 * @param invariant the promise
 * @param run whose; empty when it is nobody's
 * @param what what was seen instead, in a sentence
 */
public record Violation(Invariant invariant, Optional<String> run, String what) {
    static Violation of(Invariant invariant, String run, String what) {
        return new Violation(invariant, Optional.of(run), what);
    }
}
