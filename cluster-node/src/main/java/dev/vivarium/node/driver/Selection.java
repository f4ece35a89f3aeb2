package dev.vivarium.node.driver;

/** Which sandboxes are listed. */
public sealed interface Selection {
    /** All of this installation on this engine, whichever node made them. */
    record All() implements Selection {}

    /** Those that serve earlier attempts of the attempt's run, whichever node made them; the others cost nothing. */
    record EarlierThan(AttemptName attempt) implements Selection {}
}
