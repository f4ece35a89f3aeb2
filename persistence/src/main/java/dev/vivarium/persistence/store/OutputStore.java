package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Keeps what runs printed. Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} while it is away.
 */
public interface OutputStore {
    /**
     * Begins the output of an attempt that has earlier ones: from now on these can append nothing. A node that held one of
     * them and was frozen may be about to write what it still has, at the place where the attempt is to begin. A retry is
     * safe as long as the attempt has appended nothing.
     *
     * @return the offset at which the attempt begins
     */
    CompletionStage<Long> begin(RunId run, int attempt);

    /**
     * Appends chunks; they are durable when the stage completes. Appending a chunk at an offset that is already taken
     * changes nothing, so that a retry is safe and a fenced attempt cannot overwrite its successor.
     */
    CompletionStage<Done> append(RunId run, List<OutputChunk> chunks);

    /**
     * Reads chunks in order of offset, whole: the first one holds, or follows, the byte at {@code fromOffset}; at least
     * one if there is any, and then no more than fit into {@code maxBytes}.
     */
    CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes);

    /** The offset after the last byte kept; 0 when there is none. */
    CompletionStage<Long> end(RunId run);
}
