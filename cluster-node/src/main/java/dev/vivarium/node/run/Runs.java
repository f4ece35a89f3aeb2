package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/**
 * The way to the runs, wherever in the cluster they live. When nothing could be made durable in time the outcome is
 * unknown, and the caller may ask again: a submission answers {@link SubmitAnswer.NotDurable}, other stages fail with
 * {@link dev.vivarium.persistence.journal.StoreUnavailable}.
 */
public interface Runs {
    /** Where a new run would be taken, by a name by which it is born there. To be asked once for each submission. */
    Placed place(Capacity needs);

    /** The same for a run that has its name already. */
    Placed placeNamed(RunId id, Capacity needs);

    /**
     * Submits a run. Idempotent by id: the second submission of an id answers what became of the first.
     *
     * @param place where it was placed
     * @param by who submits it
     * @param submission digest of what the client sent
     */
    CompletionStage<SubmitAnswer> submit(Placed.Room place, Principal by, RunSpec spec, Digest submission);

    /**
     * Asks a run to stop. Idempotent; a run that has ended stays as it is.
     *
     * @param by who asks
     */
    CompletionStage<CancelAnswer> cancel(RunId id, Principal by);

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
