package dev.vivarium.node.driver;

/** The purpose of a new sandbox. */
public sealed interface Purpose {
    /** For the pool, to be claimed later. */
    record ToWait() implements Purpose {}

    /** For an attempt that is waiting: the sandbox is claimed when it is created, which saves a call to the engine. */
    record ForAttempt(AttemptName attempt) implements Purpose {}
}
