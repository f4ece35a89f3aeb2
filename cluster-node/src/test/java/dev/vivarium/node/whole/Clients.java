package dev.vivarium.node.whole;

import com.github.f4b6a3.ulid.UlidCreator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Users that keep a node busy: each submits a run, waits for its end, and submits the next one; a temporarily refused run
 * is submitted again under the same idempotency key. They stop when the node has ended.
 */
final class Clients implements AutoCloseable {
    private final WholeNode node;
    private final Agent agent;
    private final Queue<String> accepted = new ConcurrentLinkedQueue<>();
    private final Queue<Answer> refused = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final List<Thread> threads = new ArrayList<>();

    private Clients(WholeNode node, Agent agent) {
        this.node = node;
        this.agent = agent;
    }

    static Clients of(WholeNode node, Agent agent, int count) {
        Clients clients = new Clients(node, agent);
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(clients::work, "client-" + i);
            clients.threads.add(thread);
            thread.start();
        }
        return clients;
    }

    private void work() {
        try {
            while (!closing.get()) {
                String key = UlidCreator.getUlid().toString();
                Answer answer = node.submit(agent, key);
                while (answer.status() == 503 && !closing.get()) {
                    refused.add(answer);
                    answer = node.submit(agent, key);
                }
                if (!closing.get() || answer.status() == 202) {
                    accepted.add(answer.acceptedRun());
                    node.awaitEnd(answer.body().path("id").asText());
                }
            }
        } catch (IOException gone) {
            // The node was killed; a submission without an answer is not promised.
        } catch (InterruptedException | RuntimeException | AssertionError failed) {
            if (node.isAlive()) {
                failures.add(failed);
            }
        }
    }

    /** The runs that the node has answered with 202 so far. */
    List<String> accepted() {
        return List.copyOf(accepted);
    }

    /** The answers 503 so far. */
    List<Answer> refused() {
        return List.copyOf(refused);
    }

    /** Unexpected failures. */
    List<Throwable> failures() {
        return List.copyOf(failures);
    }

    /** Returns when the last one has seen the end of its run, or of the node. Idempotent. */
    void awaitEnd() {
        closing.set(true);
        threads.forEach(Clients::join);
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        awaitEnd();
    }
}
