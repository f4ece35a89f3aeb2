package dev.vivarium.node.whole;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Well-behaved clients that submit one run after the other: temporarily refused or lost submissions are retried at another
 * node with the same idempotency key.
 */
final class SteadyLoad implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 300;
    private static final int NO_ANSWER = 0;
    private static final int ACCEPTED = 202;

    private final Map<URI, ApiClient> apis = new ConcurrentHashMap<>();
    private final Function<URI, Credentials> credentials;
    private final Supplier<List<URI>> nodes;
    private final Agent agent;
    private final List<Thread> clients = new ArrayList<>();
    private final Queue<Try> tries = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    /** One request: its begin in the system's nanoseconds, its result, and its run. */
    record Try(long begunNanos, int status, String run) {}

    SteadyLoad(int clients, Agent agent, Function<URI, Credentials> credentials, Supplier<List<URI>> nodes) {
        this.credentials = credentials;
        this.nodes = nodes;
        this.agent = agent;
        for (int number = 1; number <= clients; number++) {
            String name = "client-" + number;
            Thread thread = new Thread(() -> submitAll(name), name);
            thread.start();
            this.clients.add(thread);
        }
    }

    private void submitAll(String name) {
        try {
            for (int number = 1; !over; number++) {
                submit(name + "-" + number);
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Retries until it is accepted, or the load is stopped. */
    private void submit(String key) throws InterruptedException {
        for (int number = key.hashCode() & 0xff; !over; number++) {
            List<URI> choice = nodes.get();
            if (!choice.isEmpty()
                    && ask(choice.get(number % choice.size()), key).status() == ACCEPTED) {
                return;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private Try ask(URI node, String key) throws InterruptedException {
        long begun = System.nanoTime();
        Try made;
        try {
            JsonNode accepted = apis.computeIfAbsent(
                            node, uri -> new ApiClient(uri, credentials.apply(uri), RetryPolicy.NONE, ANSWER_MAX))
                    .submit(agent.body(), key);
            made = new Try(begun, ACCEPTED, accepted.path("id").asText());
        } catch (ApiException.Refused refused) {
            made = new Try(begun, refused.problem().status(), "");
        } catch (ApiException | InterruptedIOException lost) {
            made = new Try(begun, NO_ANSWER, "");
        }
        tries.add(made);
        return made;
    }

    /** Runs acknowledged so far. */
    List<String> acknowledged() {
        return tries.stream()
                .filter(made -> made.status() == ACCEPTED)
                .map(Try::run)
                .distinct()
                .toList();
    }

    /** All requests so far. */
    List<Try> tries() {
        return List.copyOf(tries);
    }

    /** The number of answers of each status; 0 stands for no answer. */
    Map<Integer, Integer> statuses() {
        Map<Integer, Integer> counts = new TreeMap<>();
        tries.forEach(made -> counts.merge(made.status(), 1, Integer::sum));
        return counts;
    }

    /** Stops the load; returns when no request is in flight. */
    void stop() throws InterruptedException {
        over = true;
        for (Thread thread : clients) {
            thread.join();
        }
    }

    @Override
    public void close() {
        try {
            stop();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
