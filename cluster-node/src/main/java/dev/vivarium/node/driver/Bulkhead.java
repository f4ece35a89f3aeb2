package dev.vivarium.node.driver;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Runs blocking calls on an executor, with a limit on concurrent ones; others wait in order, up to a limit. */
public final class Bulkhead {
    private final Executor executor;
    private final int parallelMax;
    private final int waitingMax;
    private final String callee;
    private final BiFunction<String, Exception, DriverException> translate;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;

    /**
     * @param parallelMax concurrent calls
     * @param waitingMax calls that may wait; further ones fail
     * @param callee what is called, as the beginning of a sentence: "The container engine"
     * @param translate translates a call's exception, given what the call was for
     */
    public Bulkhead(
            Executor executor,
            int parallelMax,
            int waitingMax,
            String callee,
            BiFunction<String, Exception, DriverException> translate) {
        this.executor = executor;
        this.parallelMax = parallelMax;
        this.waitingMax = waitingMax;
        this.callee = callee;
        this.translate = translate;
    }

    /**
     * The future fails with a {@link DriverException} only: ENGINE_UNAVAILABLE when too many are waiting.
     *
     * @param doing what the call is for, to follow "while"
     */
    public <T> CompletableFuture<T> run(String doing, Supplier<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        run(doing, call, result::complete, result::completeExceptionally);
        return result;
    }

    /** As {@link #run(String, Supplier)}, with one of two callbacks called on the call's thread. */
    public <T> void run(String doing, Supplier<T> call, Consumer<T> done, Consumer<DriverException> failed) {
        submit(() -> runAndTell(doing, call, done, failed), failed);
    }

    private <T> void runAndTell(String doing, Supplier<T> call, Consumer<T> done, Consumer<DriverException> failed) {
        T result;
        try {
            result = call.get();
        } catch (Exception failure) {
            failed.accept(translate.apply(doing, failure));
            return;
        } catch (Throwable error) {
            // Including errors: a caller that never gets an answer would keep its sandbox for ever.
            failed.accept(new DriverException(
                    DriverException.Kind.REFUSED, "The node itself failed while " + doing + ".", error));
            throw error;
        }
        done.accept(result);
    }

    private void submit(Runnable task, Consumer<DriverException> failed) {
        synchronized (this) {
            if (running < parallelMax) {
                running++;
            } else if (waiting.size() < waitingMax) {
                waiting.add(task);
                return;
            } else {
                failed.accept(new DriverException(
                        DriverException.Kind.ENGINE_UNAVAILABLE,
                        callee + " is too far behind: " + waitingMax + " calls are waiting already."));
                return;
            }
        }
        start(task, failed);
    }

    private void start(Runnable task, Consumer<DriverException> failed) {
        try {
            executor.execute(() -> runAndGoOn(task));
        } catch (RejectedExecutionException closed) {
            synchronized (this) {
                running--;
            }
            failed.accept(
                    new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "The node is shutting down.", closed));
        }
    }

    private void runAndGoOn(Runnable first) {
        // Runs calls in sequence on this thread: while there is work, the bulkhead keeps its thread of the executor.
        Runnable task = first;
        while (true) {
            task.run();
            synchronized (this) {
                Runnable next = waiting.poll();
                if (next == null) {
                    running--;
                    return;
                }
                task = next;
            }
        }
    }
}
