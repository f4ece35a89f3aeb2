package dev.vivarium.persistence.store;

import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.time.Instant;

/**
 * A chunk of a run's output. All processes of a run share one sequence of offsets, in the order in which their output
 * reached the node, so that a reader follows the run with one cursor.
 *
 * @param attempt the attempt that printed it
 * @param process the process that printed it
 * @param stream the stream it was printed to
 * @param offset position of its first byte in the run's whole output: all streams, processes and attempts together
 * @param at when it reached the node
 * @param data the bytes, never empty
 */
public record OutputChunk(int attempt, ProcessId process, Stream stream, long offset, Instant at, Blob data) {
    /** The offset after its last byte. */
    public long end() {
        return offset + data.length();
    }
}
