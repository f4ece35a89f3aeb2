package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;

/** What became of a submission: the one vocabulary from the run's entity, across nodes, to the HTTP answer. */
public sealed interface SubmitAnswer extends RunMessage {
    /** The run exists, durably. */
    record Accepted(RunState.Existing run) implements SubmitAnswer {}

    /** The same submission was accepted before; this is its run. */
    record AcceptedBefore(RunState.Existing run) implements SubmitAnswer {}

    /** Another submission was accepted under this id before. */
    record OtherSubmission(RunId run) implements SubmitAnswer {}

    /** The node takes no new runs: it is leaving. */
    record Draining() implements SubmitAnswer {}

    /**
     * There is no slot for it, and no room to wait for one.
     *
     * @param waiting how many runs wait where it was refused
     */
    record Full(int waiting) implements SubmitAnswer {}

    /** There is no slot for it, and its tenant has its most runs waiting where it was refused. */
    record TenantFull(Tenant tenant) implements SubmitAnswer {}

    /** It asks for more than the largest node has. */
    record TooLarge(Capacity largest) implements SubmitAnswer {}

    /**
     * It names contents of files that are not there, or too many of them for its disk; nothing was submitted.
     *
     * @param errors everything that is wrong, at least one
     */
    record InvalidFiles(List<FieldError> errors) implements SubmitAnswer {
        public InvalidFiles {
            errors = List.copyOf(errors);
        }
    }

    /** Nothing was made durable in time, as far as is known: the run may exist, and the caller may ask again. */
    record NotDurable() implements SubmitAnswer {}
}
