package dev.vivarium.loadtests.history;

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

/** Several workers that repeat a step concurrently. */
final class Workers {
    private Workers() {}

    /** One step of a worker. */
    interface Step {
        /**
         * Runs the step.
         *
         * @param worker the worker, from 0
         * @param turn the number of its earlier steps
         * @return whether the worker continues
         */
        boolean take(int worker, int turn) throws IOException;
    }

    /** Returns the total duration when all are done; fails when one fails. */
    static Duration all(int workers, Step step) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(workers);
        try {
            long began = System.nanoTime();
            List<Future<?>> working = new ArrayList<>();
            for (int number = 0; number < workers; number++) {
                int worker = number;
                Callable<Integer> work = () -> {
                    int turn = 0;
                    while (step.take(worker, turn)) {
                        turn++;
                    }
                    return turn;
                };
                working.add(threads.submit(work));
            }
            for (Future<?> one : working) {
                one.get();
            }
            return Duration.ofNanos(System.nanoTime() - began);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException answer ? answer : new IOException(failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } finally {
            threads.shutdownNow();
        }
    }
}
