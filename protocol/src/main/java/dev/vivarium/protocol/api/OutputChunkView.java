package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.vivarium.protocol.run.Blob;
import java.time.Instant;

/**
 * A piece of what a run printed, one a line in {@code application/x-ndjson}.
 *
 * @param stream which stream it was printed to
 * @param attempt the attempt that printed it
 * @param offset its first byte's place in all that the run printed, both streams together
 * @param time when it reached the node
 * @param data the bytes as they were printed (base64 in JSON)
 */
public record OutputChunkView(Stream stream, int attempt, long offset, Instant time, Blob data) {
    /** The streams of a process. */
    public enum Stream {
        @JsonProperty("stdout")
        STDOUT,
        @JsonProperty("stderr")
        STDERR
    }
}
