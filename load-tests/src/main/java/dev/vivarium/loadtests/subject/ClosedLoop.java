package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Keeps a number of sandboxes in flight: when one is gone, the next is started. */
public final class ClosedLoop {
    private ClosedLoop() {}

    /**
     * Starts sandboxes for the length of the slice, each worker at least one, and waits for those in flight.
     *
     * @return the rate per second, from the first start to the last end
     */
    public static double run(SandboxLife life, int inFlight, Duration slice) throws IOException {
        ExecutorService workers = Executors.newFixedThreadPool(inFlight);
        try {
            long began = System.nanoTime();
            long end = began + slice.toNanos();
            Callable<Integer> worker = () -> {
                int done = 0;
                do {
                    life.once();
                    done++;
                } while (System.nanoTime() - end < 0);
                return done;
            };
            List<Future<Integer>> working = new ArrayList<>();
            for (int count = 0; count < inFlight; count++) {
                working.add(workers.submit(worker));
            }
            int done = 0;
            for (Future<Integer> one : working) {
                done += one.get();
            }
            return done / (Duration.ofNanos(System.nanoTime() - began).toMillis() / 1_000.0);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException cause ? cause : new IOException(failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } finally {
            workers.shutdownNow();
        }
    }
}
