package dev.vivarium.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Map;
import java.util.function.Consumer;

/** Follows a run's events (server-sent events), each once and in order, across lost connections. */
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

    /** Reads up to the run's last event. */
    public void follow() throws ApiException, InterruptedIOException {
        ResumedStream.read(client, new ResumedStream.Source<RuntimeException>() {
            @Override
            public boolean isComplete() throws ApiException, InterruptedIOException {
                return client.view(client.run(run)).status().isTerminal();
            }

            @Override
            public InputStream open() throws IOException, ApiException {
                Map<String, String> resume = lastSeq == 0 ? Map.of() : Map.of("Last-Event-ID", Long.toString(lastSeq));
                return client.open("/v1/runs/" + run + "/events", "text/event-stream", resume);
            }

            @Override
            public void copy(Lines lines) throws IOException {
                ServerSentEvents.read(lines, EventFollower.this::pass);
            }

            @Override
            public long position() {
                return lastSeq;
            }
        });
    }

    private void pass(JsonNode event) {
        long seq = event.path("seq").asLong();
        if (seq > lastSeq) {
            lastSeq = seq;
            sink.accept(event);
        }
    }
}
