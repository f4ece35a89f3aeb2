package dev.vivarium.node.driver;

/** Which sandboxes to list. */
public sealed interface Selection {
    /** All of this installation on this engine, of any node. */
    record All() implements Selection {}

    /** Those of earlier attempts of the attempt's run, of any node; other sandboxes cost nothing. */
    record EarlierThan(AttemptName attempt) implements Selection {}
}
