package dev.vivarium.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Follows events of all runs (server-sent events), each once and in order, across lost connections, without end. */
public final class AuditFollower {
    private final ApiClient client;
    private final List<Map.Entry<String, String>> query;
    private final Consumer<JsonNode> sink;
    private Optional<String> last = Optional.empty();
    private long passed;

    /**
     * A follower.
     *
     * @param query the conditions, and perhaps {@code from}; without it, the next event is the first
     */
    public AuditFollower(ApiClient client, List<Map.Entry<String, String>> query, Consumer<JsonNode> sink) {
        this.client = client;
        this.query = List.copyOf(query);
        this.sink = sink;
    }

    /** Reads until the node refuses, or does not answer for longer than the client retries. */
    public void follow() throws ApiException, InterruptedIOException {
        ResumedStream.read(client, new ResumedStream.Source<RuntimeException>() {
            @Override
            public boolean isComplete() {
                return false;
            }

            @Override
            public InputStream open() throws IOException, ApiException {
                Map<String, String> resume =
                        last.map(id -> Map.of("Last-Event-ID", id)).orElse(Map.of());
                return client.open("/v1/audit/events" + ApiClient.queryString(query), "text/event-stream", resume);
            }

            @Override
            public void copy(Lines lines) throws IOException {
                ServerSentEvents.read(lines, new ServerSentEvents.Sink() {
                    @Override
                    public void event(JsonNode data) {
                        sink.accept(data);
                    }

                    @Override
                    public void upTo(String id) {
                        last = Optional.of(id);
                        passed++;
                    }
                });
            }

            @Override
            public long position() {
                return passed;
            }
        });
    }
}
