package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Access to the runs, wherever in the cluster they are. When it is unknown in time whether something was made durable,
 * the caller may retry: a submission answers {@link SubmitAnswer.NotDurable}, other stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable}.
 */
public interface Runs {
    /** Chooses where to create a new run, with an id that belongs there. Call once per submission. */
    Placed place(Capacity needs);

    /** The same for a run that already has an id. */
    Placed placeNamed(RunId id, Capacity needs);

    /**
     * Submits a run. Idempotent by id: a second submission of an id returns the first one's outcome.
     *
     * @param place its placement
     * @param caller the submitting caller
     * @param submission digest of the client's request
     */
    CompletionStage<SubmitAnswer> submit(Placed.Room place, Caller caller, RunSpec spec, Digest submission);

    /**
     * Cancels a run. Idempotent; a run that has ended does not change.
     *
     * @param caller the cancelling caller
     */
    CompletionStage<CancelAnswer> cancel(RunId id, Caller caller);

    /** A run's position in the queue; empty when it does not wait or does not answer in time. Never fails. */
    CompletionStage<Optional<QueueView>> position(RunId id);

    /** The nodes of the cluster that reported recently, by name. */
    List<NodeView> nodes();

    /**
     * Signals that there may be something new to read about a run: immediately, whenever an event or output was made
     * durable, and every few seconds in any case. Conflated: a slow reader gets the latest only. Completes after a
     * progress with {@link Progress.Life#ENDED}. Only for existing runs.
     */
    Source<Progress, NotUsed> progress(RunId id);

    /**
     * The progress of a run.
     *
     * @param seq the number of its last event
     * @param outputEnd the offset after the last readable byte of its output
     * @param life whether more can follow
     */
    record Progress(long seq, long outputEnd, Life life) implements RunMessage {
        /** Whether more can follow. */
        public enum Life {
            LIVE,
            ENDED
        }
    }
}
