package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The outcome of a submission: one vocabulary from the run's entity, across nodes, to HTTP. */
public sealed interface SubmitAnswer extends RunMessage {
    /** The run exists, durably. */
    record Accepted(RunState.Existing run) implements SubmitAnswer {}

    /** The same submission was accepted before, as this run. */
    record AcceptedBefore(RunState.Existing run) implements SubmitAnswer {}

    /** A different submission was accepted under this id. */
    record OtherSubmission(RunId run) implements SubmitAnswer {}

    /** The node takes no new runs: it is draining. */
    record Draining() implements SubmitAnswer {}

    /**
     * There is no free slot, and the queue is full.
     *
     * @param waiting the length of that queue
     */
    record Full(int waiting) implements SubmitAnswer {}

    /** There is no free slot, and the tenant has its maximum of runs in the queue. */
    record TenantFull(Tenant tenant) implements SubmitAnswer {}

    /**
     * The tenant would be over a quota; nothing was submitted.
     *
     * @param after when it is worth another try, for a quota of a rate
     */
    record OverQuota(QuotaExcess excess, Optional<Duration> after) implements SubmitAnswer {
        /** Of a quota that falls when runs end. */
        public OverQuota(QuotaExcess excess) {
            this(excess, Optional.empty());
        }
    }

    /** It needs more than the largest node has. */
    record TooLarge(Capacity largest) implements SubmitAnswer {}

    /**
     * It refers to missing contents of files, or they exceed its disk limit; nothing was submitted.
     *
     * @param errors all errors, at least one
     */
    record InvalidFiles(List<FieldError> errors) implements SubmitAnswer {
        public InvalidFiles {
            errors = List.copyOf(errors);
        }
    }

    /**
     * It names secrets that its tenant does not have; nothing was submitted.
     *
     * @param errors all errors, at least one
     */
    record UnknownSecrets(List<FieldError> errors) implements SubmitAnswer {
        public UnknownSecrets {
            errors = List.copyOf(errors);
        }
    }

    /** As far as is known, nothing was made durable in time: the run may exist, and the caller may retry. */
    record NotDurable() implements SubmitAnswer {}
}
