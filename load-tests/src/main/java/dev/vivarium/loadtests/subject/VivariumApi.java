package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A node's HTTP API, used like any client. Thread-safe. */
public final class VivariumApi {
    private static final Duration ANSWER_MAX = Duration.ofMinutes(2);
    private static final long POLL_MILLIS = 50;

    private final ApiClient api;

    public VivariumApi(URI node) {
        this.api = new ApiClient(node, Credentials.ofProcess(node), RetryPolicy.NONE, ANSWER_MAX);
    }

    /** Submits a run and returns once it is acknowledged. */
    public RunId submit(Workload workload) throws IOException {
        return submit(workload, Map.of());
    }

    /** The same with additional limits. */
    public RunId submit(Workload workload, Map<String, String> limits) throws IOException {
        return submit(workload.submission(limits));
    }

    /** The same in an isolation class. */
    public RunId submit(Workload workload, Isolation isolation) throws IOException {
        return submit(workload.submission().put("isolation", isolation.name().toLowerCase(Locale.ROOT)));
    }

    /** Submits as given. */
    public RunId submit(ObjectNode submission) throws IOException {
        return new RunId(answer(() -> api.submit(submission)).path("id").asText());
    }

    /** The run's standard output until the run has ended. The caller closes it. */
    public InputStream followOutput(RunId run) throws IOException {
        return answer(() -> api.output(run.value(), Stream.STDOUT, OutputFollower.Mode.TO_THE_END));
    }

    /** Passes on the run's output until the run has ended. */
    void follow(RunId run, OutputFollower.Sink sink) throws IOException {
        answer(() -> {
            new OutputFollower(api, run.value(), Set.of(Stream.values()), 0, sink).read(OutputFollower.Mode.TO_THE_END);
            return run;
        });
    }

    /** Cancels the run. */
    public void cancel(RunId run) throws IOException {
        answer(() -> api.cancel(run.value()));
    }

    public RunStatus status(RunId run) throws IOException {
        return RunStatus.valueOf(view(run).path("status").asText());
    }

    /** Waits until the run's agent runs. */
    public void awaitRunning(RunId run) throws IOException {
        Instant latest = Instant.now().plus(ANSWER_MAX);
        for (RunStatus status = status(run); status != RunStatus.RUNNING; status = status(run)) {
            if (status.isTerminal() || Instant.now().isAfter(latest)) {
                throw new IOException("Run " + run + " is " + status + " and not RUNNING.");
            }
            pause();
        }
    }

    /** Waits until the run has ended; returns its status, and the reason if there is one. */
    public String awaitEnd(RunId run) throws IOException {
        Instant latest = Instant.now().plus(ANSWER_MAX);
        while (Instant.now().isBefore(latest)) {
            JsonNode view = view(run);
            RunStatus status = RunStatus.valueOf(view.path("status").asText());
            if (status.isTerminal()) {
                return view.path("reason").isTextual()
                        ? status + " " + view.path("reason").asText()
                        : status.toString();
            }
            pause();
        }
        throw new IOException("Run " + run + " has not ended in " + ANSWER_MAX.toSeconds() + " s.");
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /** The pool of the node, or of the first of a cluster. */
    public JsonNode pool() throws IOException {
        return answer(api::nodes).path("nodes").path(0).path("pool");
    }

    /** Waits until this many sandboxes wait in its pool. */
    public void awaitPool(int waiting, Duration atMost) throws IOException {
        Instant latest = Instant.now().plus(atMost);
        while (pool().path("waiting").asInt() < waiting) {
            if (Instant.now().isAfter(latest)) {
                throw new IOException(
                        "The pool has " + pool() + " and not " + waiting + " after " + atMost.toSeconds() + " s.");
            }
            pause();
        }
    }

    /** When each kind of event first happened, by the node's clock. */
    public Map<String, Instant> events(RunId run) throws IOException {
        Map<String, Instant> times = new LinkedHashMap<>();
        for (JsonNode event : answer(() -> api.events(run.value())).path("events")) {
            times.putIfAbsent(
                    event.path("type").asText(), Instant.parse(event.path("at").asText()));
        }
        return times;
    }

    /** When the node received the run's first output, by its clock. */
    public Optional<Instant> firstOutput(RunId run) throws IOException {
        List<Instant> times = new ArrayList<>();
        answer(() -> {
            new OutputFollower(api, run.value(), Set.of(Stream.values()), 0, chunk -> times.add(chunk.time()))
                    .read(OutputFollower.Mode.SO_FAR);
            return run;
        });
        return times.stream().findFirst();
    }

    private JsonNode view(RunId run) throws IOException {
        return answer(() -> api.run(run.value()));
    }

    /** One request. */
    private interface Request<T> {
        T send() throws ApiException, OutputFollower.SinkClosed, IOException;
    }

    private static <T> T answer(Request<T> request) throws IOException {
        try {
            return request.send();
        } catch (ApiException | OutputFollower.SinkClosed failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }
}
