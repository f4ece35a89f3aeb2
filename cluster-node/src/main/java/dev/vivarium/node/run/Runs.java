package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/**
 * The way to the runs, wherever in the cluster they live. Stages fail with
 * {@link dev.vivarium.persistence.journal.StoreUnavailable} when nothing could be made durable in time; the caller then
 * knows nothing about the outcome and may ask again.
 */
public interface Runs {
    /** A name for a new run, by which it is born on the node that has most room for it, as far as that is known here. */
    RunId newId(RunSpec spec);

    /**
     * Submits a run. Idempotent by id: the second submission of an id answers what became of the first.
     *
     * @param submission digest of what the client sent
     * @param whenFull whether it may wait where it would live
     */
    CompletionStage<SubmitReply> submit(RunId id, RunSpec spec, Blob submission, WhenFull whenFull);

    /** Asks a run to stop. Idempotent; a run that has ended stays as it is. */
    CompletionStage<CancelReply> cancel(RunId id);

    /** Where a run stands among those that wait; empty when it does not wait, or nobody says so in time. Never fails. */
    CompletionStage<Optional<QueueView>> position(RunId id);

    /** The nodes of the cluster that have told of themselves of late, by their names. */
    List<NodeView> nodes();

    /**
     * Says when there is something new to read about a run: at once, whenever an event or output was made durable, and
     * every few seconds whatever happened. Conflated: a slow reader gets the newest only. Completes after the progress
     * that says {@link Progress.Life#ENDED}. Ask for runs only that exist.
     */
    Source<Progress, NotUsed> progress(RunId id);

    /** The answer to a submission. */
    sealed interface SubmitReply {
        /** It is durable now. */
        record Accepted(RunState.Existing state) implements SubmitReply {}

        /** The same submission was accepted before. */
        record AcceptedBefore(RunState.Existing state) implements SubmitReply {}

        /** Another submission was accepted under this id before. */
        record OtherSubmission(RunId id) implements SubmitReply {}

        /** The node takes no new runs: it is leaving. */
        record Draining() implements SubmitReply {}

        /** There is no place for it, and no room to wait for one, where it would live. */
        record Full(int waiting) implements SubmitReply {}

        /** There is no place for it, and its tenant has its most runs waiting where it would live. */
        record TenantFull(String tenant) implements SubmitReply {}

        /** It asks for more than the largest node has. */
        record TooLarge(Capacity largest) implements SubmitReply {}
    }

    /** The answer to a request to stop. */
    sealed interface CancelReply {
        /** The request stands, or the run has ended already. */
        record Noted(RunState.Existing state) implements CancelReply {}

        /** There is no such run. */
        record NoSuchRun() implements CancelReply {}
    }

    /**
     * How far a run has come.
     *
     * @param seq the number of its last event
     * @param outputEnd the offset after the last byte of its output that can be read
     * @param life whether anything can follow
     */
    record Progress(long seq, long outputEnd, Life life) implements RunMessage {
        /** Whether anything can follow. */
        public enum Life {
            LIVE,
            ENDED
        }
    }
}
