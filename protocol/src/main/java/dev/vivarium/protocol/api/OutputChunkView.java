package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.time.Instant;
import java.util.Optional;

/**
 * A chunk of a run's output; one per line in {@code application/x-ndjson}.
 *
 * @param stream which stream it was printed to
 * @param attempt the attempt that printed it
 * @param process the process that printed it
 * @param offset position of its first byte in the run's whole output, all streams and processes together
 * @param time when it reached the node
 * @param data the bytes as they were printed (base64 in JSON)
 */
public record OutputChunkView(Stream stream, int attempt, ProcessId process, long offset, Instant time, Blob data) {
    /** The streams of a process. */
    public enum Stream {
        @JsonProperty("stdout")
        STDOUT,
        @JsonProperty("stderr")
        STDERR
    }

    /** Reads JSON. Nodes of version 0.1 send no process: the only one was the run's own command. */
    @JsonCreator
    static OutputChunkView read(
            @JsonProperty("stream") Stream stream,
            @JsonProperty("attempt") int attempt,
            @JsonProperty("process") Optional<ProcessId> process,
            @JsonProperty("offset") long offset,
            @JsonProperty("time") Instant time,
            @JsonProperty("data") Blob data) {
        return new OutputChunkView(stream, attempt, process.orElse(ProcessId.COMMAND), offset, time, data);
    }
}
