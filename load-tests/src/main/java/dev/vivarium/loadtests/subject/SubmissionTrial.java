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
import java.util.Set;

/**
 * Submits runs to one node, each worker the next one when its last is acknowledged, and waits until all have ended. The
 * workers present a token, as users of a node that is shared do.
 */
public final class SubmissionTrial {
    private static final int ACCEPTED = 202;
    private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
    private static final long AGAIN_MILLIS = 20;

    private final URI node;
    private final long pid;
    private final Workload workload;
    private final NodeMetrics metrics;
    private final Credentials workers;

    /**
     * One slice.
     *
     * @param inFlight concurrent submissions
     * @param refused submissions that were refused and repeated
     * @param submitting how long the submissions took
     * @param ending from the first submission until the last run had ended
     * @param answers the latency of each acknowledgement
     * @param used the processor time that node and database used for these runs
     * @param authenticating how long the node took, of a request, to know its caller
     */
    public record Slice(
            int inFlight,
            int refused,
            Duration submitting,
            Duration ending,
            Series answers,
            ProcessorTimes used,
            Duration authenticating) {
        public int acknowledged() {
            return answers.rounds().size();
        }

        /** Acknowledged runs per second. */
        public double acknowledgedPerSecond() {
            return acknowledged() / seconds(submitting);
        }

        /** Ended runs per second, from the first submission to the last end: the sustainable rate. */
        public double endedPerSecond() {
            return acknowledged() / seconds(ending);
        }

        /** Processor time of the node for a run, in milliseconds. */
        public double nodeMillisPerRun() {
            return seconds(used.node()) * 1_000 / acknowledged();
        }

        /** The same of the database. */
        public double postgresMillisPerRun() {
            return seconds(used.postgres()) * 1_000 / acknowledged();
        }

        private static double seconds(Duration time) {
            return time.toNanos() / 1e9;
        }
    }

    private SubmissionTrial(URI node, long pid, Workload workload, ApiClient api, Credentials workers) {
        this.node = node;
        this.pid = pid;
        this.workload = workload;
        this.metrics = new NodeMetrics(api);
        this.workers = workers;
    }

    /**
     * A trial whose workers present a token of the node's.
     *
     * @param pid the node's process
     */
    public static SubmissionTrial withToken(URI node, long pid, Workload workload) throws IOException {
        ApiClient api = api(node);
        return new SubmissionTrial(node, pid, workload, api, token(api, "default"));
    }

    /** One whose workers present these credentials. */
    public static SubmissionTrial with(Credentials workers, URI node, long pid, Workload workload) {
        return new SubmissionTrial(node, pid, workload, api(node), workers);
    }

    private static ApiClient api(URI node) {
        return new ApiClient(node, Credentials.ofProcess(node), RetryPolicy.NONE, ANSWER_MAX);
    }

    /** Credentials that are made for a tenant. */
    static Credentials token(ApiClient api, String tenant) throws IOException {
        try {
            return Credentials.of(
                    api.createToken(ApiJson.object().put("role", "submitter").put("tenant", tenant))
                            .path("token")
                            .asText());
        } catch (ApiException failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }

    /** What one worker has seen. */
    private record Worked(List<Duration> answers, int refused) {}

    /** Submits for the length of the slice, and returns when the last run has ended. */
    public Slice submit(int inFlight, Duration length) throws IOException {
        ProcessorTimes before = ProcessorTimes.of(pid);
        Authentications known = authentications();
        long began = System.nanoTime();
        List<Worked> workers = InFlight.all(inFlight, inFlight, worker -> work(began + length.toNanos()));
        Duration submitting = Duration.ofNanos(System.nanoTime() - began);
        metrics.awaitEnds();
        Duration ending = Duration.ofNanos(System.nanoTime() - began);
        List<Duration> answers = new ArrayList<>();
        workers.forEach(worker -> answers.addAll(worker.answers()));
        if (answers.isEmpty()) {
            throw new IOException("The node acknowledged no run.");
        }
        return new Slice(
                inFlight,
                workers.stream().mapToInt(Worked::refused).sum(),
                submitting,
                ending,
                new Series(answers),
                ProcessorTimes.of(pid).since(before),
                authentications().meanSince(known));
    }

    /** What the node has counted since its start. */
    private record Authentications(double count, double seconds) {
        Duration meanSince(Authentications before) {
            return Duration.ofNanos(Math.round((seconds - before.seconds) / (count - before.count) * 1e9));
        }
    }

    private Authentications authentications() throws IOException {
        return new Authentications(
                metrics.sumOf(Set.of("vivarium_http_authentication_seconds_count")),
                metrics.sumOf(Set.of("vivarium_http_authentication_seconds_sum")));
    }

    private Worked work(long end) throws IOException {
        List<Duration> answers = new ArrayList<>();
        int refused = 0;
        try (SubmittingConnection connection = SubmittingConnection.to(node, workers, workload)) {
            while (System.nanoTime() - end < 0) {
                long asked = System.nanoTime();
                if (connection.submit() == ACCEPTED) {
                    answers.add(Duration.ofNanos(System.nanoTime() - asked));
                } else {
                    refused++;
                    Pauses.millis(AGAIN_MILLIS);
                }
            }
        }
        return new Worked(answers, refused);
    }
}
