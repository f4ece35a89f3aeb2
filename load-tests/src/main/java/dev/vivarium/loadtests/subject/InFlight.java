package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs a task a number of times with limited concurrency. */
public final class InFlight {
    private InFlight() {}

    /** The task; the index counts from 0. */
    public interface Task<T> {
        T run(int index) throws IOException;
    }

    /** The results by index; fails with the first failure, and starts nothing after it. */
    public static <T> List<T> all(int count, int inFlight, Task<T> task) throws IOException {
        ExecutorService workers = Executors.newFixedThreadPool(inFlight);
        try {
            List<Future<T>> working = new ArrayList<>();
            for (int index = 0; index < count; index++) {
                int place = index;
                working.add(workers.submit(() -> task.run(place)));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : working) {
                results.add(one.get());
            }
            return results;
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException cause ? cause : new IOException(failed.getCause());
        } catch (InterruptedException interrupted) {
            throw Pauses.interrupted();
        } finally {
            workers.shutdownNow();
        }
    }
}
