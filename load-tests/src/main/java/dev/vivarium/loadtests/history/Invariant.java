package dev.vivarium.loadtests.history;

/** What was promised. */
public enum Invariant {
    ACKNOWLEDGED_RUNS_ARE_KEPT("A run that was acknowledged is in the journal, with what was submitted."),
    EVERY_RUN_ENDS_EXACTLY_ONCE("Every run has one terminal event, and it is the last."),
    ONE_KEY_IS_ONE_RUN("All submissions under one idempotency key are one run, and no other key's."),
    EVENTS_ARE_A_LEGAL_PATH("The events of a run are numbered from 1 without gaps, and RunState accepts each."),
    EVENTS_ARE_CHAINED("Each event holds the hash of the one before."),
    WHAT_WAS_READ_STAYS("An event that a client has read is never another one, and an end is never undone."),
    ALL_VIEWS_AGREE("A run's status is the same alone, in the list, and by its events."),
    ONE_LIVE_SANDBOX("A run never has two live sandboxes."),
    SANDBOXES_ARE_JOURNALED("Every sandbox serves an attempt that the journal knows, on the node that it names."),
    NO_ORPHANS("No sandbox outlives its attempt, or its node, beyond the bound; none is left."),
    EFFECTS_BELONG_TO_THE_ATTEMPT(
            "What agents did, by their own clocks, is of one attempt after the other, and whole."),
    RUNS_END_FOR_A_REASON("A run ends as its agent did, or as it was asked to, or as its policy says."),
    THE_CLUSTER_RECOVERS("After a fault, all nodes are ready again, by nothing that somebody does by hand."),
    CANCELLATIONS_ARE_KEPT("A cancellation that was acknowledged is in the journal, unless the run had ended.");

    private final String promise;

    Invariant(String promise) {
        this.promise = promise;
    }

    /** In a sentence. */
    public String promise() {
        return promise;
    }
}
