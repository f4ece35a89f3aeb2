package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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
     * The quota that a tenant would be over with so much more, by what this node knows; empty if it would be over none.
     * The run's own node looks again.
     */
    Optional<QuotaExcess> excess(Tenant tenant, TenantUse asked);

    /** Takes so much of a tenant's quotas on this node, until it is given back; or else the quota that it would be over. */
    Optional<QuotaExcess> reserve(Tenant tenant, TenantUse asked);

    /** Gives back what was reserved. */
    void unreserve(Tenant tenant, TenantUse reserved);

    /** What a tenant uses of its quotas in the cluster: on this node now, on others at their last reports. */
    TenantUse usedBy(Tenant tenant);

    /** The tenants with runs that have not ended. */
    Set<Tenant> tenants();

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

    /**
     * Moves a run's deadline. Idempotent: the same renewal again changes nothing. An answer that it was moved is never
     * followed by a kill at the deadline before.
     *
     * @param caller the requesting caller
     */
    CompletionStage<RenewAnswer> renew(RunId id, Caller caller, Renewal renewal);

    /** A run's position in the queue; empty when it does not wait or does not answer in time. Never fails. */
    CompletionStage<Optional<QueueView>> position(RunId id);

    /** The nodes of the cluster that reported recently, by name. */
    List<NodeView> nodes();

    /**
     * Signals that there may be something new to read about a run: immediately, whenever an event, or output if that is
     * of interest, was made durable, and every few seconds in any case. Conflated: a slow reader gets the latest only.
     * Completes after a progress with {@link Progress.Life#ENDED}. Only for existing runs.
     */
    Source<Progress, NotUsed> progress(RunId id, Interest interest);

    /** What a watcher of a run wants to know. */
    enum Interest {
        /** Its events. */
        EVENTS,
        /** Its events and its output. */
        OUTPUT
    }

    /**
     * The progress of a run.
     *
     * @param seq the number of its last event
     * @param outputEnd the offset after the last readable byte of its output, where the run knows it without the store
     * @param life whether more can follow
     * @param output the newest chunks, which the store has at their offsets, for those who want output and have read
     *     what was before them; often empty
     */
    record Progress(long seq, OptionalLong outputEnd, Life life, List<OutputChunk> output) implements RunMessage {
        private static final int CHUNK_BYTES = 128;

        /** Nodes of an earlier version send no output. */
        public Progress {
            output = List.copyOf(Objects.requireNonNullElse(output, List.of()));
        }

        /** A progress without output. */
        public Progress(long seq, OptionalLong outputEnd, Life life) {
            this(seq, outputEnd, life, List.of());
        }

        /**
         * This progress and a later one, as one for a reader that has taken neither. Chunks that do not follow each
         * other, or beyond the limit, are left to be read from the store.
         */
        public Progress and(Progress later, int outputBytesMax) {
            OptionalLong end = outputEnd.isPresent() && later.outputEnd.isPresent()
                    ? OptionalLong.of(Math.max(outputEnd.getAsLong(), later.outputEnd.getAsLong()))
                    : OptionalLong.empty();
            return new Progress(later.seq, end, later.life, joined(output, later.output, outputBytesMax));
        }

        private static List<OutputChunk> joined(List<OutputChunk> first, List<OutputChunk> then, int bytesMax) {
            if (first.isEmpty() || then.isEmpty()) {
                return first.isEmpty() ? then : first;
            }
            boolean follows = first.get(first.size() - 1).end() == then.get(0).offset();
            if (!follows || size(first) + size(then) > bytesMax) {
                return first;
            }
            List<OutputChunk> both = new ArrayList<>(first);
            both.addAll(then);
            return both;
        }

        /** What chunks take in memory and in a message, in bytes: what was printed, and what is said of it. */
        static long size(List<OutputChunk> chunks) {
            return chunks.stream()
                    .mapToLong(chunk -> chunk.data().length() + CHUNK_BYTES)
                    .sum();
        }

        /** Whether more can follow. */
        public enum Life {
            LIVE,
            ENDED
        }
    }
}
