package dev.vivarium.node.run;

import dev.vivarium.protocol.run.RunState;

/** The answer to a request to move a run's deadline, from the run's entity to HTTP. */
public sealed interface RenewAnswer extends RunMessage {
    /** The deadline is as requested, durably, on the node and in the guest; with the run's current state. */
    record Renewed(RunState.Existing run) implements RenewAnswer {}

    /** The deadline is as it was. */
    record Refused(Reason reason) implements RenewAnswer {}

    /** There is no such run. */
    record NoSuchRun() implements RenewAnswer {}

    /** Why a deadline stays as it was. */
    enum Reason {
        /** The run has ended. */
        ENDED,
        /** The run's cancellation was requested. */
        CANCELLED,
        /** The attempt is ending, or the run is. */
        ENDING,
        /** The attempt has run for longer than the requested limit. */
        ALREADY_PAST,
        /** The deadline was moved as often as it may. */
        TOO_OFTEN,
        /** Earlier renewals have not been confirmed by the guest yet. */
        TOO_MANY_AT_ONCE
    }
}
