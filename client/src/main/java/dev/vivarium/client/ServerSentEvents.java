package dev.vivarium.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Reads the events of a stream of server-sent events whose data is JSON. */
final class ServerSentEvents {
    private ServerSentEvents() {}

    /** What takes them. */
    interface Sink {
        /** An event's data. */
        void event(JsonNode data);

        /** The id to go on from, behind the event before. */
        default void upTo(String id) {}
    }

    /** Reads up to the end of the lines. */
    static void read(Lines lines, Sink sink) throws IOException {
        StringBuilder data = new StringBuilder();
        Optional<String> id = Optional.empty();
        for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
            String text = line.get();
            if (text.isEmpty()) {
                if (!data.isEmpty()) {
                    sink.event(ApiJson.parse(data.toString().getBytes(StandardCharsets.UTF_8)));
                    data.setLength(0);
                }
                id.ifPresent(sink::upTo);
                id = Optional.empty();
            } else if (text.startsWith("data:")) {
                // The data lines of one event are joined by newlines, which JSON ignores between tokens.
                data.append(text, "data:".length(), text.length()).append('\n');
            } else if (text.startsWith("id:")) {
                id = Optional.of(text.substring("id:".length()).strip());
            }
        }
    }
}
