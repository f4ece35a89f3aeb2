package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/** Submits runs at a constant rate, whatever the node answers and however long it takes. */
public final class OpenLoop {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final HttpRequest request;

    /**
     * The answer to one submission.
     *
     * @param status of HTTP; 0 when there was no answer
     * @param took from sending to the whole answer
     * @param failure why there was no answer; empty if there was one
     */
    public record Answer(int status, Duration took, String failure) {}

    /**
     * What came of a slice.
     *
     * @param answers one for each submission
     * @param sending how long the slice took until the last submission was sent
     */
    public record Slice(List<Answer> answers, Duration sending) {
        public Slice {
            answers = List.copyOf(answers);
        }
    }

    public OpenLoop(URI node, JsonNode submission) {
        HttpRequest.Builder request = HttpRequest.newBuilder(node.resolve("/v1/runs"))
                .timeout(ANSWER_MAX)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(submission)));
        Credentials.ofProcess(node).token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
        this.request = request.build();
    }

    /** Submits for the length of the slice, and waits for all answers. */
    public Slice run(double perSecond, Duration length) throws IOException {
        Queue<Answer> answers = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<?>> open = new ArrayList<>();
        long began = System.nanoTime();
        int count = (int) Math.ceil(perSecond * length.toNanos() / 1e9);
        for (int index = 0; index < count; index++) {
            long due = began + Math.round(index * 1e9 / perSecond);
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
                if (Thread.currentThread().isInterrupted()) {
                    throw Pauses.interrupted();
                }
            }
            open.add(submit(answers));
        }
        Duration sending = Duration.ofNanos(System.nanoTime() - began);
        CompletableFuture.allOf(open.toArray(CompletableFuture[]::new)).join();
        return new Slice(new ArrayList<>(answers), sending);
    }

    private CompletableFuture<?> submit(Queue<Answer> answers) {
        long sent = System.nanoTime();
        return http.sendAsync(request, BodyHandlers.discarding())
                .handle((response, failure) -> answers.add(new Answer(
                        failure == null ? response.statusCode() : 0,
                        Duration.ofNanos(System.nanoTime() - sent),
                        failure == null ? "" : String.valueOf(failure.getMessage()))));
    }
}
