package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.AuditExport;
import dev.vivarium.client.AuditFollower;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.loadtests.report.Series;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/** Asks a node for its audit, as a user does: pages of events, a run's proof, everything, and events as they come. */
public final class AuditProbe {
    private static final Duration ANSWER_MAX = Duration.ofMinutes(1);
    private static final Duration ORDERED_MAX = Duration.ofMinutes(10);
    private static final long LOOK_MILLIS = 20;

    private final URI node;
    private final ApiClient api;

    /** Of a node. */
    public AuditProbe(URI node) {
        this.node = node;
        this.api = client();
    }

    private ApiClient client() {
        return new ApiClient(node, Credentials.ofProcess(node), RetryPolicy.NONE, ANSWER_MAX);
    }

    /** Waits until every event has its place in the order; returns how many there are. */
    public long awaitOrdered() throws IOException {
        long latest = System.nanoTime() + ORDERED_MAX.toNanos();
        while (true) {
            JsonNode head = page(List.of(Map.entry("limit", "1"))).path("head");
            if (head.path("lagMillis").asLong() == 0 && head.path("size").asLong() > 0) {
                return head.path("size").asLong();
            }
            if (System.nanoTime() - latest > 0) {
                throw new IOException(
                        "Events have no place in the order after " + ORDERED_MAX.toMinutes() + " minutes.");
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    /** A page of events. */
    public JsonNode page(List<Map.Entry<String, String>> query) throws IOException {
        try {
            return api.auditEvents(query);
        } catch (ApiException failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }

    /** How long a page takes, of these queries in turns. */
    public Series pages(List<Map.Entry<String, String>> query, int rounds) throws IOException {
        List<Duration> times = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            long asked = System.nanoTime();
            page(query);
            times.add(Duration.ofNanos(System.nanoTime() - asked));
        }
        return new Series(times);
    }

    /** How long the proofs of these runs take. */
    public Series proofs(List<String> runs) throws IOException {
        List<Duration> times = new ArrayList<>();
        for (String run : runs) {
            long asked = System.nanoTime();
            try {
                api.proof(run);
            } catch (ApiException failed) {
                throw new IOException(failed.getMessage(), failed);
            }
            times.add(Duration.ofNanos(System.nanoTime() - asked));
        }
        return new Series(times);
    }

    /** Exports everything into a file; returns how long that took. */
    public Duration export(Path file) throws IOException {
        long began = System.nanoTime();
        try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            new AuditExport(api, List.of(), Optional.empty(), (line, json) -> write(out, line)).read();
        } catch (UncheckedIOException failed) {
            throw failed.getCause();
        } catch (ApiException | AuditExport.UnwelcomeLine failed) {
            throw new IOException(failed.getMessage(), failed);
        }
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private static void write(BufferedWriter out, String line) {
        try {
            out.write(line);
            out.newLine();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Follows new events while the work is done; returns how long after it happened each event came. */
    public Series tail(Work work) throws IOException {
        Queue<Duration> delays = new ConcurrentLinkedQueue<>();
        AtomicBoolean over = new AtomicBoolean();
        Thread follower = new Thread(() -> follow(delays, over), "tail");
        follower.setDaemon(true);
        follower.start();
        work.run();
        over.set(true);
        if (delays.isEmpty()) {
            throw new IOException("No event came to the tail.");
        }
        return new Series(List.copyOf(delays));
    }

    private void follow(Queue<Duration> delays, AtomicBoolean over) {
        try {
            new AuditFollower(client(), List.of(), event -> {
                        if (!over.get()) {
                            Instant at = Instant.parse(event.path("at").asText());
                            delays.add(Duration.between(at, Instant.now()));
                        }
                    })
                    .follow();
        } catch (ApiException | InterruptedIOException ended) {
            // The node has been stopped; without any event the tail is a failure of the benchmark.
            over.set(true);
        }
    }

    /** Work in the middle of a measurement. */
    @FunctionalInterface
    public interface Work {
        void run() throws IOException;
    }
}
