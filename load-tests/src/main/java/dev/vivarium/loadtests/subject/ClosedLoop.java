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

/** Keeps so many sandboxes in flight: when one is gone, the next is asked for. */
public final class ClosedLoop {
    private ClosedLoop() {}

    /**
     * Begins sandboxes for the length of the slice, each place at least one, and waits for those under way.
     *
     * @return how many a second, over the whole time from the first one's begin to the last one's end
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
