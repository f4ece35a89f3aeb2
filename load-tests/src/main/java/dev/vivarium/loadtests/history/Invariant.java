package dev.vivarium.loadtests.history;

/** The promises that are checked. */
public enum Invariant {
    ACKNOWLEDGED_RUNS_ARE_KEPT("A run that was acknowledged is in the journal, with what was submitted."),
    EVERY_RUN_ENDS_EXACTLY_ONCE("Every run has one terminal event, and it is the last."),
    ONE_KEY_IS_ONE_RUN("All submissions under one idempotency key are one run, and no other key's."),
    EVENTS_ARE_A_LEGAL_PATH("The events of a run are numbered from 1 without gaps, and RunState accepts each."),
    EVENTS_ARE_CHAINED("Each event holds its predecessor's hash."),
    WHAT_WAS_READ_STAYS("An event that a client has read never changes, and an end is never undone."),
    ALL_VIEWS_AGREE("A run's status is the same by itself, in the list, and by its events."),
    ONE_LIVE_SANDBOX("A run never has two live sandboxes."),
    SANDBOXES_ARE_SEEN(
            "The attempts of the journal were seen as sandboxes of the nodes' driver: otherwise nothing is shown."),
    LIVE_SANDBOXES_NEED_NO_ENGINE("With the driver oci, live sandboxes go on while the container engine is down."),
    SANDBOXES_ARE_JOURNALED("Every sandbox serves an attempt in the journal, on the node that the journal names."),
    NO_ORPHANS("No sandbox outlives its attempt or its node beyond the bound; none is left."),
    EFFECTS_BELONG_TO_THE_ATTEMPT("The agents' own heartbeats are complete and come from one attempt after the other."),
    RUNS_END_FOR_A_REASON("A run ends as its agent did, or as it was asked to, or as its policy says."),
    THE_CLUSTER_RECOVERS("After a fault, all nodes become ready again without manual repair."),
    RENEWALS_ARE_KEPT(
            "A deadline that was acknowledged is in the journal, and no run is killed before the one in force."),
    CANCELLATIONS_ARE_KEPT("A cancellation that was acknowledged is in the journal, unless the run had ended.");

    private final String promise;

    Invariant(String promise) {
        this.promise = promise;
    }

    /** The promise as a sentence. */
    public String promise() {
        return promise;
    }
}
