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

/** Several that do the same at once, one step after the other each. */
final class Workers {
    private Workers() {}

    /** One step of a worker. */
    interface Step {
        /**
         * Takes it.
         *
         * @param worker which one, from 0
         * @param turn how many steps it has taken before
         * @return whether the worker takes a further one
         */
        boolean take(int worker, int turn) throws IOException;
    }

    /** Returns when all are done, how long that took; fails when one does. */
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
            throw failed.getCause() instanceof IOException told ? told : new IOException(failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } finally {
            threads.shutdownNow();
        }
    }
}
