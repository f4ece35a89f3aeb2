package dev.vivarium.node.driver;

/** What a sandbox is made for. */
public sealed interface Purpose {
    /** To wait until an attempt claims it. */
    record ToWait() implements Purpose {}

    /**
     * For an attempt that waits already: the sandbox is claimed from its first moment, and the engine is asked once less
     * than with a claim of its own.
     */
    record ForAttempt(AttemptName attempt) implements Purpose {}
}
