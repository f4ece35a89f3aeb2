package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.subject.JournalWrites;
import dev.vivarium.loadtests.subject.Pauses;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Submits runs, as fast as they are acknowledged, to a cluster whose nodes start nothing, and waits until all have
 * ended. For comparison, measures the same Cassandra with a journal's writes only.
 */
public final class ControlPlaneTrial {
    /** Events of a successful run: submitted, starting, started, succeeded. */
    public static final int EVENTS_OF_A_RUN = 4;

    private static final int EVENT_BYTES = 700;
    private static final Duration END_MAX = Duration.ofMinutes(10);
    private static final long LOOK_MILLIS = 200;
    private static final long AGAIN_MILLIS = 20;

    private final Setup setup;
    private final Consumer<String> progress;

    /**
     * The trial's parameters.
     *
     * @param site where to put the cluster
     * @param nodes how many
     * @param settings configuration that overrides the defaults on all nodes, by full key
     */
    public record Setup(ClusterSite site, int nodes, Map<String, String> settings) {
        public Setup {
            settings = Map.copyOf(settings);
        }
    }

    /**
     * One slice.
     *
     * @param inFlight concurrent submissions
     * @param acknowledged acknowledged runs
     * @param refused submissions that were refused and retried
     * @param submitting how long the submissions took
     * @param ending from the first submission until the last run had ended
     * @param answers the latency of each acknowledgement
     */
    public record Slice(
            int inFlight, int acknowledged, int refused, Duration submitting, Duration ending, Series answers) {
        /** Acknowledged runs per second. */
        public double acknowledgedPerSecond() {
            return perSecond(acknowledged, submitting);
        }

        /** Ended runs per second, from the first submission to the last end: the sustainable rate. */
        public double endedPerSecond() {
            return perSecond(acknowledged, ending);
        }
    }

    /**
     * The measurements.
     *
     * @param slices slices of the cluster
     * @param journalPerSecond events per second that the same Cassandra made durable with its best number of writers,
     *     in journals as long as a run's
     */
    public record Report(List<Slice> slices, double journalPerSecond) {
        public Report {
            slices = List.copyOf(slices);
        }
    }

    public ControlPlaneTrial(Setup setup, Consumer<String> progress) {
        this.setup = setup;
        this.progress = progress;
    }

    private static double perSecond(long count, Duration time) {
        return count / (time.toNanos() / 1e9);
    }

    /** Runs the trial. Everything it starts has ended when it returns. */
    public Report measure(List<Integer> inFlight, Duration warmUp, Duration slice, int rounds) throws IOException {
        try (Cluster cluster = new Cluster(setup.site(), Map.of(), setup.nodes(), setup.settings())) {
            progress.accept("starting the store and " + setup.nodes() + " nodes in "
                    + setup.site().folder());
            cluster.up();
            try (JournalWrites journal = JournalWrites.on(setup.site().store(), "datacenter1", EVENT_BYTES)) {
                progress.accept("warming up");
                int most = Collections.max(inFlight);
                submit(cluster, most, warmUp);
                journals(journal, most, slice);
                List<Slice> slices = new ArrayList<>();
                double best = 0;
                for (int round = 1; round <= rounds; round++) {
                    for (int many : inFlight) {
                        progress.accept("round " + round + ": " + many + " at once");
                        slices.add(submit(cluster, many, slice));
                        best = Math.max(best, journals(journal, many, slice));
                    }
                }
                return new Report(slices, best);
            }
        }
    }

    private Slice submit(Cluster cluster, int inFlight, Duration length) throws IOException {
        Queue<Duration> answers = new ConcurrentLinkedQueue<>();
        Queue<Exchange.Answer> refusals = new ConcurrentLinkedQueue<>();
        Instant from = Instant.now();
        Instant latest = from.plus(length);
        Duration submitting = Workers.all(inFlight, (worker, turn) -> {
            NodeClient node = cluster.clients().get((worker + turn) % setup.nodes());
            Instant asked = Instant.now();
            Exchange.Answer answer = node.submit(run());
            if (answer instanceof Exchange.Accepted) {
                answers.add(Duration.between(asked, Instant.now()));
            } else {
                refusals.add(answer);
                Pauses.millis(AGAIN_MILLIS);
            }
            return Instant.now().isBefore(latest);
        });
        if (answers.isEmpty()) {
            throw new IOException("No run was acknowledged; the last answer was " + refusals.peek() + ".");
        }
        awaitEnds(cluster);
        return new Slice(
                inFlight,
                answers.size(),
                refusals.size(),
                submitting,
                Duration.between(from, Instant.now()),
                new Series(List.copyOf(answers)));
    }

    private static double journals(JournalWrites journal, int inFlight, Duration length) throws IOException {
        AtomicLong written = new AtomicLong();
        Instant latest = Instant.now().plus(length);
        Duration time = Workers.all(inFlight, (worker, turn) -> {
            journal.journalOf(EVENTS_OF_A_RUN);
            written.addAndGet(EVENTS_OF_A_RUN);
            return Instant.now().isBefore(latest);
        });
        return perSecond(written.get(), time);
    }

    /** A run that ends immediately, on nodes that start nothing. */
    private static ObjectNode run() {
        return NodeClient.submission("vivarium/python", "true");
    }

    private static void awaitEnds(Cluster cluster) throws IOException {
        Instant latest = Instant.now().plus(END_MAX);
        while (live(cluster) > 0) {
            if (Instant.now().isAfter(latest)) {
                throw new IOException("Runs that do nothing have not ended in " + END_MAX.toMinutes() + " minutes.");
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    private static double live(Cluster cluster) throws IOException {
        double live = 0;
        for (NodeClient node : cluster.clients()) {
            live += node.metric("vivarium_runs_live") + node.metric("vivarium_runs_waiting");
        }
        return live;
    }
}
