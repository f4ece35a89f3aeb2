package dev.vivarium.loadtests.subject;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.loadtests.report.Series;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One tenant submits a run now and then, and another floods the same node: each of its connections submits the next run as
 * soon as the last one is answered, whatever the answer is.
 */
public final class TenantFlood {
    private static final int ACCEPTED = 202;
    private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
    private static final String FLOODER = "flooder";

    private final URI node;
    private final ApiClient api;
    private final NodeMetrics metrics;
    private final Credentials quiet;
    private final Credentials flooding;
    private final Workload workload;
    private final Duration pause;

    /** What the other tenant does meanwhile. */
    public enum Beside {
        NOBODY("nobody"),
        FLOOD("a flood"),
        HELD("a flood over a quota");

        private final String title;

        Beside(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }
    }

    /**
     * One slice.
     *
     * @param answers the latency of each acknowledgement of the quiet tenant
     * @param refused its submissions that were refused
     * @param flood how many runs the other tenant was acknowledged in a second
     * @param floodRefused how many of its submissions were refused in a second
     */
    public record Slice(Beside beside, Series answers, int refused, double flood, double floodRefused) {}

    private record Worked(List<Duration> answers, int refused) {}

    /** @param pause of the quiet tenant, between an answer and its next submission */
    public TenantFlood(URI node, Workload workload, Duration pause) throws IOException {
        this.node = node;
        this.workload = workload;
        this.pause = pause;
        this.api = new ApiClient(node, Credentials.ofProcess(node), RetryPolicy.NONE, ANSWER_MAX);
        this.metrics = new NodeMetrics(api);
        this.quiet = SubmissionTrial.token(api, "quiet");
        this.flooding = SubmissionTrial.token(api, FLOODER);
    }

    /**
     * Submits for the length of the slice, and returns when the last run has ended.
     *
     * @param connections of the tenant that floods
     * @param heldAt runs a second that its quota leaves it where there is one
     */
    public Slice submit(Beside beside, int connections, int heldAt, Duration length) throws IOException {
        quota(beside == Beside.HELD ? Integer.toString(heldAt) : "default");
        int flooders = beside == Beside.NOBODY ? 0 : connections;
        long end = System.nanoTime() + length.toNanos();
        List<Worked> workers = InFlight.all(
                flooders + 1,
                flooders + 1,
                worker -> worker == 0 ? work(quiet, end, pause) : work(flooding, end, Duration.ZERO));
        metrics.awaitEnds();
        if (workers.get(0).answers.isEmpty()) {
            throw new IOException("The node acknowledged no run of the tenant that does not flood.");
        }
        double seconds = length.toNanos() / 1e9;
        List<Worked> flood = workers.subList(1, workers.size());
        return new Slice(
                beside,
                new Series(workers.get(0).answers),
                workers.get(0).refused,
                flood.stream().mapToInt(worked -> worked.answers.size()).sum() / seconds,
                flood.stream().mapToInt(Worked::refused).sum() / seconds);
    }

    private void quota(String submissionsPerSecond) throws IOException {
        try {
            api.setQuotas(FLOODER, ApiJson.object().put("submissionsPerSecond", submissionsPerSecond));
        } catch (ApiException failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }

    private Worked work(Credentials whose, long end, Duration pause) throws IOException {
        List<Duration> answers = new ArrayList<>();
        int refused = 0;
        try (SubmittingConnection connection = SubmittingConnection.to(node, whose, workload)) {
            while (System.nanoTime() - end < 0) {
                long asked = System.nanoTime();
                if (connection.submit() == ACCEPTED) {
                    answers.add(Duration.ofNanos(System.nanoTime() - asked));
                } else {
                    refused++;
                }
                if (!pause.isZero()) {
                    Pauses.millis(pause.toMillis());
                }
            }
        }
        return new Worked(answers, refused);
    }
}
