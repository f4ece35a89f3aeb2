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
 * Clients that each submit a run, follow it to its end and go on to the next, at whichever node; who retries what was
 * refused or not answered, under the same key. All that they are told is kept.
 */
final class Clients {
    private static final long RETRY_MILLIS = 250;
    private static final long LOOK_MILLIS = 500;
    /** How long one run is followed; at the end of a trial all are looked at. */
    private static final Duration FOLLOW_MAX = Duration.ofSeconds(90);

    private final long seed;
    private final List<NodeClient> nodes;
    private final String image;
    private final Map<String, Task> tasks = new ConcurrentHashMap<>();
    private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closing;

    private Clients(long seed, List<NodeClient> nodes, String image) {
        this.seed = seed;
        this.nodes = List.copyOf(nodes);
        this.image = image;
    }

    /** Starts so many. */
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
            Random ways = new Random(task.key().hashCode() + seed);
            Pauses.millis(task.pause().toMillis());
            tasks.put(task.key(), task);
            if (task.manner() == Task.Manner.TWICE) {
                Random others = new Random(ways.nextLong());
                spawn(task.key() + "-too", () -> submit(task, others));
            }
            Optional<String> run = submit(task, ways);
            if (run.isPresent()) {
                if (task.manner() == Task.Manner.AGAIN) {
                    submit(task, ways);
                }
                follow(task, run.get(), ways);
            }
        }
    }

    /** Tries until it is accepted; the run, unless the trial is over before. */
    private Optional<String> submit(Task task, Random ways) throws InterruptedIOException {
        ObjectNode submission = submission(task);
        do {
            int node = ways.nextInt(nodes.size());
            Instant asked = Instant.now();
            Heard.Told told = nodes.get(node).submit(submission, task.key());
            note(task, Heard.Ask.SUBMIT, node, asked, told);
            if (told instanceof Heard.Accepted accepted) {
                return Optional.of(accepted.run());
            }
            Pauses.millis(RETRY_MILLIS + ways.nextInt((int) RETRY_MILLIS));
        } while (!closing);
        return Optional.empty();
    }

    /** Looks at the run until it has ended, and asks it to stop when its time has come. */
    private void follow(Task task, String run, Random ways) throws InterruptedIOException {
        Instant from = Instant.now();
        boolean cancelled = task.kind() != Task.Kind.CANCELLED;
        for (int look = 0; Instant.now().isBefore(from.plus(FOLLOW_MAX)); look++) {
            if (!cancelled && Instant.now().isAfter(from.plus(task.cancelAfter()))) {
                cancelled = cancel(task, run, ways.nextInt(nodes.size()));
            }
            int node = ways.nextInt(nodes.size());
            Instant asked = Instant.now();
            Heard.Told told = look % 2 == 0
                    ? nodes.get(node).status(run)
                    : nodes.get(node).newest(run);
            note(task, Heard.Ask.READ, node, asked, told);
            if (told instanceof Heard.Stood stood && stood.status().isTerminal()) {
                return;
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    /** Asks a run to stop, and tells whether that was accepted. */
    boolean cancel(Task task, String run, int node) throws InterruptedIOException {
        Instant asked = Instant.now();
        Heard.Told told = nodes.get(node).cancel(run);
        note(task, Heard.Ask.CANCEL, node, asked, told);
        return told instanceof Heard.Accepted;
    }

    private void note(Task task, Heard.Ask ask, int node, Instant asked, Heard.Told told) {
        heard.add(new Heard(task.key(), ask, node + 1, asked, Instant.now(), told));
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

    /** Nobody submits anything new from now on; returns when all have seen the ends that they wait for. */
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

    List<Heard> heard() {
        return List.copyOf(heard);
    }
}
