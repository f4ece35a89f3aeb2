package dev.vivarium.node.whole;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/**
 * Clients that submit one run after the other, as well-behaved ones do: what is refused or lost for now is tried again, at
 * another node, with the same idempotency key.
 */
final class SteadyLoad implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 300;
    private static final int NO_ANSWER = 0;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Supplier<List<URI>> nodes;
    private final Agent agent;
    private final List<Thread> clients = new ArrayList<>();
    private final Queue<Try> tries = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    /** One request: when it was begun, by the system's nanoseconds, what came of it, and for which run. */
    record Try(long begunNanos, int status, String run) {}

    SteadyLoad(int clients, Agent agent, Supplier<List<URI>> nodes) {
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

    /** Tries until it is accepted, or nobody wants it any more. */
    private void submit(String key) throws InterruptedException {
        for (int number = key.hashCode() & 0xff; !over; number++) {
            List<URI> choice = nodes.get();
            if (!choice.isEmpty()
                    && ask(choice.get(number % choice.size()), key).status() == 202) {
                return;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private Try ask(URI node, String key) throws InterruptedException {
        long begun = System.nanoTime();
        Try made;
        try {
            HttpResponse<byte[]> answer = client.send(
                    HttpRequest.newBuilder(node.resolve("/v1/runs"))
                            .timeout(ANSWER_MAX)
                            .header("Content-Type", "application/json")
                            .header("Idempotency-Key", key)
                            .POST(HttpRequest.BodyPublishers.ofString(agent.json()))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            JsonNode body = ApiJson.parse(answer.body());
            made = new Try(begun, answer.statusCode(), body.path("id").asText());
        } catch (IOException lost) {
            made = new Try(begun, NO_ANSWER, "");
        }
        tries.add(made);
        return made;
    }

    /** Runs that were acknowledged so far. */
    List<String> acknowledged() {
        return tries.stream()
                .filter(made -> made.status() == 202)
                .map(Try::run)
                .distinct()
                .toList();
    }

    /** All requests so far. */
    List<Try> tries() {
        return List.copyOf(tries);
    }

    /** How often each status was answered; 0 stands for no answer. */
    Map<Integer, Integer> statuses() {
        Map<Integer, Integer> counts = new TreeMap<>();
        tries.forEach(made -> counts.merge(made.status(), 1, Integer::sum));
        return counts;
    }

    /** Ends it, and returns when no request is under way. */
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
