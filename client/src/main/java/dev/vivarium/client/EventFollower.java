package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads a run's events as they happen, each once and in order, across lost connections (server-sent events). */
public final class EventFollower {
    private final ApiClient client;
    private final String run;
    private final Consumer<JsonNode> sink;
    private long lastSeq;

    public EventFollower(ApiClient client, String run, Consumer<JsonNode> sink) {
        this.client = client;
        this.run = run;
        this.sink = sink;
    }

    /** Reads until the run's last event. */
    public void follow() throws ApiException, InterruptedIOException {
        Patience.Tries tries = client.tries();
        while (true) {
            // Looked up before the read, as for the output.
            boolean complete = client.view(client.run(run)).status().isTerminal();
            long before = lastSeq;
            Map<String, String> resume = lastSeq == 0 ? Map.of() : Map.of("Last-Event-ID", Long.toString(lastSeq));
            try (Lines lines = new Lines(client.open("/v1/runs/" + run + "/events", "text/event-stream", resume))) {
                copy(lines);
                if (complete) {
                    return;
                }
                tries.succeeded();
                tries.breathe();
            } catch (JsonProcessingException malformed) {
                throw client.garbled(malformed);
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException lost) {
                if (lastSeq > before) {
                    tries.succeeded();
                }
                if (!client.isWorthRetrying(lost) || !tries.again()) {
                    throw client.unreachable(lost);
                }
            }
        }
    }

    private void copy(Lines lines) throws IOException {
        StringBuilder data = new StringBuilder();
        for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
            String text = line.get();
            if (text.isEmpty() && !data.isEmpty()) {
                pass(ApiJson.parse(data.toString().getBytes(StandardCharsets.UTF_8)));
                data.setLength(0);
            } else if (text.startsWith("data:")) {
                // Lines of one event's data are joined by line ends, which are blanks between JSON's tokens.
                data.append(text, "data:".length(), text.length()).append('\n');
            }
        }
    }

    private void pass(JsonNode event) {
        long seq = event.path("seq").asLong();
        if (seq > lastSeq) {
            lastSeq = seq;
            sink.accept(event);
        }
    }
}
