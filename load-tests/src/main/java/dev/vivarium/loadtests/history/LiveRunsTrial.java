package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.VirtualMachine;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Fills a cluster whose nodes start nothing with live runs, measures each run's cost in heap, kills one node, and
 * measures how long the others take to take over its runs.
 */
public final class LiveRunsTrial {
    private static final int SUBMITTERS = 16;
    private static final Duration FILL_MAX = Duration.ofHours(3);
    private static final Duration RECOVERY_MAX = Duration.ofHours(1);
    private static final Duration SILENCE_MAX = Duration.ofMinutes(2);
    private static final int HEAP_MIN_MEBIBYTES = 512;
    /**
     * Heap for an empty node, and for each run three times what it costs, so that garbage collection is not what is
     * measured.
     */
    private static final int HEAP_BASE_MEBIBYTES = 256;

    private static final int HEAP_KIBIBYTES_A_RUN = 48;
    /** The character after the last printable one. */
    private static final int DEL = 127;

    private static final long LOOK_MILLIS = 100;
    private static final long AGAIN_MILLIS = 50;
    private static final String SANDBOXES = "vivarium_sandboxes_live";

    private final Setup setup;
    private final Consumer<String> progress;

    /**
     * The trial's parameters.
     *
     * @param site where to put the cluster
     * @param nodes how many, at least 2; the last one is killed
     * @param fileBytes the size of each run's own file; 0 for none
     * @param settings configuration that overrides the defaults on all nodes, by full key
     */
    public record Setup(ClusterSite site, int nodes, int fileBytes, Map<String, String> settings) {
        public Setup {
            settings = Map.copyOf(settings);
        }
    }

    /**
     * One node's runs and heap.
     *
     * @param node its name
     * @param runs its live runs
     * @param heapBefore bytes of heap in use without runs, after a collection
     * @param heapAfter the same with them
     */
    public record Held(String node, int runs, long heapBefore, long heapAfter) {
        /** Bytes of heap for each run. */
        public double heapPerRun() {
            return (double) (heapAfter - heapBefore) / runs;
        }
    }

    /**
     * The measurements.
     *
     * @param held of each node, before one was killed
     * @param filling how long until all runs were live
     * @param lost live runs of the killed node
     * @param half from the kill until half of these were live on the others
     * @param all until all were
     */
    public record Report(List<Held> held, Duration filling, int lost, Duration half, Duration all) {
        public Report {
            held = List.copyOf(held);
        }
    }

    public LiveRunsTrial(Setup setup, Consumer<String> progress) {
        this.setup = setup;
        this.progress = progress;
    }

    /** Runs the trial with so many runs. Everything it starts has ended when it returns. */
    public Report measure(int runs) throws IOException {
        Map<String, String> heap = Map.of("VIVARIUM_JAVA_OPTS", "-Xmx" + heapMebibytes(runs) + "m");
        try (Cluster cluster = new Cluster(setup.site(), heap, setup.nodes(), setup.settings())) {
            progress.accept("starting the store and " + setup.nodes() + " nodes in "
                    + setup.site().folder());
            cluster.up();
            List<Long> before = heaps(cluster);
            progress.accept("submitting " + runs + " runs that stay");
            Instant from = Instant.now();
            fill(cluster, runs);
            await(FILL_MAX, () -> live(cluster.clients()) >= runs);
            Duration filling = Duration.between(from, Instant.now());
            progress.accept("all live after " + filling.toSeconds() + " s");
            List<Held> held = held(cluster, before);
            Report report = kill(cluster, runs, held, filling);
            // A drain of so many runs would write an end for each, which is not what is measured.
            for (int node = 1; node < setup.nodes(); node++) {
                cluster.signal(Cluster.name(node), "KILL");
            }
            return report;
        }
    }

    /** Enough for a node that also takes over its share of the killed node's runs. */
    private int heapMebibytes(int runs) {
        int share = runs / (setup.nodes() - 1);
        return Math.max(HEAP_MIN_MEBIBYTES, HEAP_BASE_MEBIBYTES + share / 1024 * HEAP_KIBIBYTES_A_RUN);
    }

    private Report kill(Cluster cluster, int runs, List<Held> held, Duration filling) throws IOException {
        int last = setup.nodes();
        int lost = held.get(last - 1).runs();
        List<NodeClient> others = cluster.clients().subList(0, last - 1);
        progress.accept(Cluster.name(last) + " dies with " + lost + " live runs");
        Instant killed = Instant.now();
        cluster.signal(Cluster.name(last), "KILL");
        await(RECOVERY_MAX, () -> live(others) >= runs - lost / 2);
        Duration half = Duration.between(killed, Instant.now());
        await(RECOVERY_MAX, () -> live(others) >= runs);
        return new Report(held, filling, lost, half, Duration.between(killed, Instant.now()));
    }

    private List<Long> heaps(Cluster cluster) throws IOException {
        List<Long> heaps = new ArrayList<>();
        for (int node = 1; node <= setup.nodes(); node++) {
            heaps.add(VirtualMachine.heapInUse(cluster.process(Cluster.name(node))));
        }
        return heaps;
    }

    private List<Held> held(Cluster cluster, List<Long> before) throws IOException {
        List<Long> after = heaps(cluster);
        List<Held> held = new ArrayList<>();
        for (int node = 1; node <= setup.nodes(); node++) {
            held.add(new Held(
                    Cluster.name(node),
                    live(List.of(cluster.clients().get(node - 1))),
                    before.get(node - 1),
                    after.get(node - 1)));
        }
        return held;
    }

    private static int live(List<NodeClient> nodes) throws IOException {
        double live = 0;
        for (NodeClient node : nodes) {
            live += node.metric(SANDBOXES);
        }
        return (int) live;
    }

    private void fill(Cluster cluster, int runs) throws IOException {
        AtomicInteger begun = new AtomicInteger();
        Workers.all(SUBMITTERS, (worker, turn) -> {
            int number = begun.incrementAndGet();
            if (number <= runs) {
                submit(cluster.clients().get(number % setup.nodes()), run(number));
            }
            return number < runs;
        });
    }

    /** Retries, since a busy node may refuse for a moment. */
    private static void submit(NodeClient node, ObjectNode run) throws InterruptedIOException {
        while (!(node.submit(run) instanceof Exchange.Accepted)) {
            Pauses.millis(AGAIN_MILLIS);
        }
    }

    private ObjectNode run(int number) {
        ObjectNode body = NodeClient.submission("vivarium/python", "sleep", "infinity");
        // Filling can take more than an hour, and the first run must still be live at the end of it.
        body.putObject("limits").put("wallClock", "24h").put("idle", "24h");
        if (setup.fileBytes() > 0) {
            body.putObject("files").put("data", content(number));
        }
        return body;
    }

    /** Incompressible text, the same for the same number. */
    private String content(int number) {
        return new Random(number)
                .ints(setup.fileBytes(), ' ', DEL)
                .filter(character -> character != '"' && character != '\\')
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Duration atMost, Condition condition) throws IOException {
        Instant latest = Instant.now().plus(atMost);
        Instant answered = Instant.now();
        while (true) {
            try {
                if (condition.holds()) {
                    return;
                }
                answered = Instant.now();
            } catch (IOException silent) {
                // Allows for late answers of a node that takes over ten thousands of runs.
                if (answered.plus(SILENCE_MAX).isBefore(Instant.now())) {
                    throw silent;
                }
            }
            if (Instant.now().isAfter(latest)) {
                throw new IOException(
                        "The cluster has not taken over all runs within " + atMost.toMinutes() + " minutes.");
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }
}
