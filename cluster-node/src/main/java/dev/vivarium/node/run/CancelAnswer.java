package dev.vivarium.node.run;

import dev.vivarium.protocol.run.RunState;

/** The answer to a cancellation, from the run's entity to HTTP. */
public sealed interface CancelAnswer extends RunMessage {
    /** The cancellation is recorded, or the run had ended already; with the run's current state. */
    record Noted(RunState.Existing run) implements CancelAnswer {}

    /** There is no such run. */
    record NoSuchRun() implements CancelAnswer {}
}
