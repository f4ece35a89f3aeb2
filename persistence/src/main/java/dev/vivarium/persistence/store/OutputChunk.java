package dev.vivarium.persistence.store;

import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import java.time.Instant;

/**
 * A piece of what a run printed.
 *
 * @param attempt the attempt that printed it
 * @param stream the stream it was printed to
 * @param offset its first byte's place in all that the run printed, both streams and all attempts together
 * @param at when it reached the node
 * @param data the bytes, never empty
 */
public record OutputChunk(int attempt, Stream stream, long offset, Instant at, Blob data) {}
