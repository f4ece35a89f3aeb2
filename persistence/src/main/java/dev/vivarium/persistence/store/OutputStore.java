package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Stores the output of runs. Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} while the store
 * is unavailable.
 */
public interface OutputStore {
    /** Registered when output is deleted: an attempt that comes after all others. */
    int DELETED = Integer.MAX_VALUE;

    /** What became of an append that has not failed. */
    enum Appended {
        /** This call stored every chunk: a reader finds these bytes at their offsets, whatever happens next. */
        WHOLE,
        /** Some chunks changed nothing, as below: only a read tells what is at their offsets. */
        IN_PART
    }

    /**
     * Registers an attempt's first offset, which fences earlier attempts: the store rejects their appends from now on.
     * Otherwise a node that was frozen with an earlier attempt could still write its buffered output at this offset.
     * Safe to repeat until the attempt has appended something.
     *
     * @return the attempt's first offset
     */
    CompletionStage<Long> begin(RunId run, int attempt);

    /**
     * Appends chunks, durably once the stage completes. Appending at an offset that is taken changes nothing, so
     * retries are safe and a fenced attempt cannot overwrite its successor.
     */
    CompletionStage<Appended> append(RunId run, List<OutputChunk> chunks);

    /**
     * Reads whole chunks in order of offset, from the one that contains or follows the byte at {@code fromOffset}; at
     * least one if there is any, and no more than fit into {@code maxBytes}.
     */
    CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes);

    /** Whether there was output of the run that was deleted. What an attempt appends afterwards is rejected. */
    CompletionStage<Boolean> isDeleted(RunId run);

    /** The offset after the last stored byte; 0 when there is none. */
    CompletionStage<Long> end(RunId run);
}
