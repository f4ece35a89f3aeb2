package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.loadtests.subject.Pauses;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Clients that each submit a run to a random node, follow it to its end and continue with the next; they retry refused
 * and unanswered submissions under the same key. All answers are recorded.
 */
final class Clients {
    private static final long RETRY_MILLIS = 250;
    private static final long LOOK_MILLIS = 500;
    /** How long one run is followed; all runs are checked at the end of a trial. */
    private static final Duration FOLLOW_MAX = Duration.ofSeconds(90);

    private final long seed;
    private final List<NodeClient> nodes;
    private final String image;
    private final Map<String, Task> tasks = new ConcurrentHashMap<>();
    private final Queue<Exchange> exchanges = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closing;

    private Clients(long seed, List<NodeClient> nodes, String image) {
        this.seed = seed;
        this.nodes = List.copyOf(nodes);
        this.image = image;
    }

    /** Starts the clients. */
    static Clients begin(long seed, List<NodeClient> nodes, String image, int count) {
        Clients clients = new Clients(seed, nodes, image);
        for (int client = 1; client <= count; client++) {
            int number = client;
            clients.spawn("client-" + number, () -> clients.work(number));
        }
        return clients;
    }

    private interface Work {
        void go() throws InterruptedIOException;
    }

    private synchronized Thread spawn(String name, Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.go();
                    } catch (InterruptedIOException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
        return thread;
    }

    private void work(int client) throws InterruptedIOException {
        for (int step = 1; !closing; step++) {
            Task task = Task.of(seed, client, step);
            Random random = new Random(task.key().hashCode() + seed);
            Pauses.millis(task.pause().toMillis());
            tasks.put(task.key(), task);
            if (task.manner() == Task.Manner.TWICE) {
                Random others = new Random(random.nextLong());
                spawn(task.key() + "-too", () -> submit(task, others));
            }
            Optional<String> run = submit(task, random);
            if (run.isPresent()) {
                if (task.manner() == Task.Manner.AGAIN) {
                    submit(task, random);
                }
                if (task.kind() == Task.Kind.TIMED) {
                    int node = random.nextInt(nodes.size());
                    spawn(task.key() + "-renewal", () -> renew(task, run.get(), node));
                }
                follow(task, run.get(), random);
            }
        }
    }

    /** Retries until the submission is accepted or the trial ends; returns the run, if there is one. */
    private Optional<String> submit(Task task, Random random) throws InterruptedIOException {
        ObjectNode submission = submission(task);
        do {
            int node = random.nextInt(nodes.size());
            Instant asked = Instant.now();
            Exchange.Answer answer = nodes.get(node).submit(submission, task.key());
            note(task, Exchange.Ask.SUBMIT, node, asked, answer);
            if (answer instanceof Exchange.Accepted accepted) {
                return Optional.of(accepted.run());
            }
            Pauses.millis(RETRY_MILLIS + random.nextInt((int) RETRY_MILLIS));
        } while (!closing);
        return Optional.empty();
    }

    /** Polls the run until it has ended, and requests its cancellation when it is due. */
    private void follow(Task task, String run, Random random) throws InterruptedIOException {
        Instant from = Instant.now();
        boolean cancelled = task.kind() != Task.Kind.CANCELLED;
        for (int look = 0; Instant.now().isBefore(from.plus(FOLLOW_MAX)); look++) {
            if (!cancelled && Instant.now().isAfter(from.plus(task.cancelAfter()))) {
                cancelled = cancel(task, run, random.nextInt(nodes.size()));
            }
            int node = random.nextInt(nodes.size());
            Instant asked = Instant.now();
            Exchange.Answer answer = look % 2 == 0
                    ? nodes.get(node).status(run)
                    : nodes.get(node).newest(run);
            note(task, Exchange.Ask.READ, node, asked, answer);
            if (answer instanceof Exchange.CurrentStatus stood && stood.status().isTerminal()) {
                return;
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    /** Requests a cancellation; returns whether it was accepted. */
    boolean cancel(Task task, String run, int node) throws InterruptedIOException {
        Instant asked = Instant.now();
        Exchange.Answer answer = nodes.get(node).cancel(run);
        note(task, Exchange.Ask.CANCEL, node, asked, answer);
        return answer instanceof Exchange.Accepted;
    }

    /** Renews the run about its deadline, so that either may be first. */
    private void renew(Task task, String run, int node) throws InterruptedIOException {
        Pauses.millis(task.renewAfter().toMillis());
        Instant asked = Instant.now();
        note(task, Exchange.Ask.RENEW, node, asked, nodes.get(node).renew(run, Task.RENEWED_WALL_CLOCK));
    }

    private void note(Task task, Exchange.Ask ask, int node, Instant asked, Exchange.Answer answer) {
        exchanges.add(new Exchange(task.key(), ask, node + 1, asked, Instant.now(), answer));
    }

    private ObjectNode submission(Task task) {
        ObjectNode body = NodeClient.submission(image, "python3", "-c", Tick.AGENT);
        body.putObject("env")
                .put("TICKS", Integer.toString(task.ticks()))
                .put("EVERY_MILLIS", Integer.toString(task.everyMillis()))
                .put("EXIT", Integer.toString(task.exitCode()));
        ObjectNode limits = body.putObject("limits");
        limits.put("memory", "64Mi").put("disk", "16Mi").put("pids", 32).put("cpu", "500m");
        limits.put("wallClock", task.kind() == Task.Kind.TIMED ? Task.WALL_CLOCK.toSeconds() + "s" : "10m");
        body.put("onNodeLoss", task.policy().word()).put("maxAttempts", task.maxAttempts());
        body.putObject("labels").put(Journal.KEY_LABEL, task.key());
        return body;
    }

    /** Ends new submissions; returns when all clients have seen the ends of their runs. */
    void close() throws InterruptedException {
        closing = true;
        List<Thread> working;
        synchronized (this) {
            working = List.copyOf(threads);
        }
        for (Thread thread : working) {
            thread.join();
        }
    }

    Map<String, Task> tasks() {
        return Map.copyOf(tasks);
    }

    List<Exchange> exchanges() {
        return List.copyOf(exchanges);
    }
}
