package dev.vivarium.loadtests.subject;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;

/** What a node counts about itself. */
final class NodeMetrics {
    private static final Duration END_MAX = Duration.ofMinutes(5);
    private static final long LOOK_MILLIS = 20;

    private final ApiClient api;

    NodeMetrics(ApiClient api) {
        this.api = api;
    }

    /** The values of metrics without labels, together. */
    double sumOf(Set<String> metrics) throws IOException {
        try {
            return api.metrics()
                    .lines()
                    .filter(line -> metrics.contains(line.substring(0, Math.max(line.indexOf(' '), 0))))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' ') + 1)))
                    .sum();
        } catch (ApiException failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }

    /** Returns when all runs have ended. */
    void awaitEnds() throws IOException {
        long latest = System.nanoTime() + END_MAX.toNanos();
        while (sumOf(Set.of("vivarium_runs_live", "vivarium_runs_waiting")) > 0) {
            if (System.nanoTime() - latest > 0) {
                throw new IOException("Runs that do nothing have not ended in " + END_MAX.toMinutes() + " minutes.");
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }
}
