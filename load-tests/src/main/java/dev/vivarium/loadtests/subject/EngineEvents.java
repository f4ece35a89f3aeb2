package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The engine's container events from a point in time on. */
public final class EngineEvents implements Closeable {
    private static final long NANOS = 1_000_000_000L;

    private final EngineWire wire;
    private final BufferedReader lines;

    EngineEvents(EngineWire wire) {
        this.wire = wire;
        this.lines = new BufferedReader(new InputStreamReader(wire.answer(), StandardCharsets.UTF_8));
    }

    /**
     * One event.
     *
     * @param container the container's id
     * @param action the engine's name for it: create, start, die, destroy
     * @param attributes the container's labels, its name among them
     * @param at when, by the engine's clock
     */
    public record Event(String container, String action, Map<String, String> attributes, Instant at) {
        public String name() {
            return attributes.getOrDefault("name", "");
        }
    }

    /** Waits for the next event; empty when the engine is gone. */
    public Optional<Event> next() throws IOException {
        String line = lines.readLine();
        if (line == null) {
            return Optional.empty();
        }
        JsonNode event = ApiJson.parse(line.getBytes(StandardCharsets.UTF_8));
        Map<String, String> attributes = new HashMap<>();
        event.path("Actor")
                .path("Attributes")
                .properties()
                .forEach(attribute ->
                        attributes.put(attribute.getKey(), attribute.getValue().asText()));
        long nanos = event.path("timeNano").asLong();
        return Optional.of(new Event(
                event.path("Actor").path("ID").asText(),
                event.path("Action").asText(),
                attributes,
                Instant.ofEpochSecond(nanos / NANOS, nanos % NANOS)));
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
