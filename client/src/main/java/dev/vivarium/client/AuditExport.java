package dev.vivarium.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Exports events of all runs, each line once and in order, across lost connections: after one, the export goes on behind
 * the last event that arrived.
 */
public final class AuditExport {
    private final ApiClient client;
    private final List<Map.Entry<String, String>> query;
    private final Sink sink;
    private Optional<Long> next;
    private boolean ended;

    /** What takes the lines. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes a line.
         *
         * @param line its text, without its end
         * @param json what it says
         * @throws UnwelcomeLine to stop
         */
        void take(String line, JsonNode json) throws UnwelcomeLine;
    }

    /** A sink that cannot go on, with a sentence that says why. */
    public static final class UnwelcomeLine extends Exception {
        /** With the sentence. */
        public UnwelcomeLine(String sentence) {
            super(sentence);
        }
    }

    /**
     * An export.
     *
     * @param query the conditions, and {@code to}
     * @param from the first position; empty for the beginning
     */
    public AuditExport(ApiClient client, List<Map.Entry<String, String>> query, Optional<Long> from, Sink sink) {
        this.client = client;
        this.query = List.copyOf(query);
        this.next = from;
        this.sink = sink;
    }

    /** Reads up to the last line. */
    public void read() throws ApiException, UnwelcomeLine, InterruptedIOException {
        ResumedStream.read(client, new ResumedStream.Source<UnwelcomeLine>() {
            @Override
            public boolean isComplete() {
                return false;
            }

            @Override
            public boolean hasEnded() {
                return ended;
            }

            @Override
            public InputStream open() throws IOException, ApiException {
                List<Map.Entry<String, String>> all = new ArrayList<>(query);
                next.ifPresent(position -> all.add(Map.entry("from", Long.toString(position))));
                return client.open("/v1/audit/export" + ApiClient.queryString(all), "application/x-ndjson", Map.of());
            }

            @Override
            public void copy(Lines lines) throws IOException, UnwelcomeLine {
                for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                    pass(line.get());
                }
            }

            @Override
            public long position() {
                return next.orElse(0L);
            }
        });
    }

    private void pass(String line) throws IOException, UnwelcomeLine {
        JsonNode json = ApiJson.parse(line.getBytes(StandardCharsets.UTF_8));
        sink.take(line, json);
        ended = json.path("line").asText().equals("end");
        if (json.path("line").asText().equals("missing")) {
            next = Optional.of(json.path("to").asLong());
        } else if (json.has("position")) {
            next = Optional.of(json.path("position").asLong() + 1);
        }
    }
}
