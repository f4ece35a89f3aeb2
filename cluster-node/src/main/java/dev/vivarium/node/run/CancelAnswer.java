package dev.vivarium.node.run;

import dev.vivarium.protocol.run.RunState;

/** What became of a request to stop, from the run's entity to the HTTP answer. */
public sealed interface CancelAnswer extends RunMessage {
    /** The request stands, or the run had ended already; the run as it is now. */
    record Noted(RunState.Existing run) implements CancelAnswer {}

    /** There is no such run. */
    record NoSuchRun() implements CancelAnswer {}
}
