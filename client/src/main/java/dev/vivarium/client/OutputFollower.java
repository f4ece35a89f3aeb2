package dev.vivarium.client;

import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Follows a run's output, each byte once and in order, across lost connections: it tracks its offset and resumes from
 * there.
 */
public final class OutputFollower {
    private final ApiClient client;
    private final String run;
    private final Set<Stream> streams;
    private final Sink sink;
    private long next;

    /** Whether to wait for further output. */
    public enum Mode {
        SO_FAR,
        TO_THE_END
    }

    /** Receives the chunks. */
    public interface Sink {
        /**
         * Receives the next chunk. An exception ends the read and reaches the caller of {@link #read} as {@link
         * SinkClosed}.
         */
        void accept(OutputChunkView chunk) throws IOException;
    }

    /** The reader of the client's own output is gone. */
    public static final class SinkClosed extends Exception {
        private static final long serialVersionUID = 1L;

        SinkClosed(IOException cause) {
            super(cause);
        }
    }

    /** @param from the offset of the first byte wanted, over both streams together */
    public OutputFollower(ApiClient client, String run, Set<Stream> streams, long from, Sink sink) {
        this.client = client;
        this.run = run;
        this.streams = Set.copyOf(streams);
        this.next = from;
        this.sink = sink;
    }

    /** Reads what exists now, or until the run's output ends, according to the mode. */
    public void read(Mode mode) throws ApiException, SinkClosed, InterruptedIOException {
        ResumedStream.read(client, new ResumedStream.Source<SinkClosed>() {
            @Override
            public boolean isComplete() throws ApiException, InterruptedIOException {
                return mode == Mode.SO_FAR
                        || client.view(client.run(run)).status().isTerminal();
            }

            @Override
            public InputStream open() throws IOException, ApiException {
                return client.open(path(mode), "application/x-ndjson", Map.of());
            }

            @Override
            public void copy(Lines lines) throws IOException, SinkClosed {
                passChunks(lines);
            }

            @Override
            public long position() {
                return next;
            }
        });
    }

    /** Passes on the chunks of an open stream, up to its end. */
    void passChunks(Lines lines) throws IOException, SinkClosed {
        for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
            if (line.get().isBlank()) {
                continue;
            }
            OutputChunkView chunk = ApiJson.as(
                    ApiJson.parse(line.get().getBytes(java.nio.charset.StandardCharsets.UTF_8)), OutputChunkView.class);
            pass(chunk);
        }
    }

    private void pass(OutputChunkView chunk) throws SinkClosed {
        byte[] bytes = chunk.data().toByteArray();
        long end = chunk.offset() + bytes.length;
        if (end <= next) {
            return;
        }
        int known = (int) Math.max(0, next - chunk.offset());
        next = end;
        try {
            sink.accept(
                    known == 0
                            ? chunk
                            : new OutputChunkView(
                                    chunk.stream(),
                                    chunk.attempt(),
                                    chunk.process(),
                                    chunk.offset() + known,
                                    chunk.time(),
                                    Blob.of(Arrays.copyOfRange(bytes, known, bytes.length))));
        } catch (IOException closed) {
            throw new SinkClosed(closed);
        }
    }

    private String path(Mode mode) {
        String names = streams.stream()
                .map(stream -> stream.name().toLowerCase(Locale.ROOT))
                .sorted()
                .collect(Collectors.joining(","));
        return "/v1/runs/" + run + "/output"
                + ApiClient.queryString(List.of(
                        Map.entry("stream", names),
                        Map.entry("follow", Boolean.toString(mode == Mode.TO_THE_END)),
                        Map.entry("from", Long.toString(next))));
    }
}
