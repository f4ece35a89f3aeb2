package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs of one submission that come in different shapes; each is followed to its first byte and to its end. */
public final class Arrivals {
    private final VivariumApi api;
    private final ObjectNode submission;

    /**
     * What the runs' clients saw, from each one's submission on.
     *
     * @param firstBytes the times to the first byte
     * @param ends the times to the end of the output, which is the run's
     * @param wall the time from the first submission to the last end
     */
    public record Times(List<Duration> firstBytes, List<Duration> ends, Duration wall) {}

    private record Run(RunId id, Duration firstByte, Duration end) {}

    /** Does something before each run. */
    public interface Before {
        void run() throws IOException;
    }

    public Arrivals(VivariumApi api, ObjectNode submission) {
        this.api = api;
        this.submission = submission;
    }

    /** This many runs, each client's next when its last has ended. */
    public Times each(int runs, int clients) throws IOException {
        return each(runs, clients, () -> {});
    }

    /** The same, each after something that does not count. */
    public Times each(int runs, int clients, Before before) throws IOException {
        long began = System.nanoTime();
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Future<Run>> all = new ArrayList<>();
            for (int run = 0; run < runs; run++) {
                all.add(threads.submit(() -> {
                    before.run();
                    return one();
                }));
            }
            return times(all, began);
        } finally {
            threads.shutdownNow();
        }
    }

    /** This many runs, one after each interval, whether or not the earlier ones have ended. */
    public Times staggered(int runs, Duration interval) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(runs);
        // All are there before the first one begins.
        long begins = System.nanoTime() + Duration.ofMillis(200).toNanos();
        try {
            List<Future<Run>> all = new ArrayList<>();
            for (int run = 0; run < runs; run++) {
                long at = begins + run * interval.toNanos();
                all.add(threads.submit(() -> {
                    for (long left = at - System.nanoTime(); left > 0; left = at - System.nanoTime()) {
                        Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
                    }
                    return one();
                }));
            }
            return times(all, begins);
        } finally {
            threads.shutdownNow();
        }
    }

    private Times times(List<Future<Run>> all, long began) throws IOException {
        List<Run> ended = new ArrayList<>();
        try {
            for (Future<Run> each : all) {
                ended.add(each.get());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException failed) {
            throw new IOException(String.valueOf(failed.getCause()), failed);
        }
        Duration wall = Duration.ofNanos(System.nanoTime() - began);
        for (Run run : ended) {
            RunStatus status = api.status(run.id);
            if (status != RunStatus.SUCCEEDED) {
                throw new IOException("Run " + run.id + " is " + status + " and not SUCCEEDED.");
            }
        }
        return new Times(
                ended.stream().map(Run::firstByte).toList(),
                ended.stream().map(Run::end).toList(),
                wall);
    }

    private Run one() throws IOException {
        long began = System.nanoTime();
        RunId run = api.submit(submission);
        try (InputStream output = api.followOutput(run)) {
            if (output.read() < 0) {
                throw new IOException("Run " + run + " printed nothing and is " + api.status(run) + ".");
            }
            Duration firstByte = Duration.ofNanos(System.nanoTime() - began);
            output.transferTo(OutputStream.nullOutputStream());
            return new Run(run, firstByte, Duration.ofNanos(System.nanoTime() - began));
        }
    }
}
