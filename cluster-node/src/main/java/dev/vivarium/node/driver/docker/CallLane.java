package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** Runs blocking calls on an executor, so many at once and no more; the others wait in order, up to a limit. */
final class CallLane {
    private final Executor executor;
    private final int parallelMax;
    private final int waitingMax;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;

    CallLane(Executor executor, int parallelMax, int waitingMax) {
        this.executor = executor;
        this.parallelMax = parallelMax;
        this.waitingMax = waitingMax;
    }

    /**
     * The future fails with a {@link DriverException} only: ENGINE_UNAVAILABLE when too many wait already.
     *
     * @param doing what the call is for, as it follows "while"
     */
    <T> CompletableFuture<T> run(String doing, Supplier<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        submit(
                () -> {
                    try {
                        result.complete(call.get());
                    } catch (Exception failure) {
                        result.completeExceptionally(EngineFailure.translate(doing, failure));
                    } catch (Throwable error) {
                        // Errors too: a caller that never hears back would hold its sandbox for ever.
                        result.completeExceptionally(new DriverException(
                                DriverException.Kind.REFUSED, "The node itself failed while " + doing + ".", error));
                        throw error;
                    }
                },
                result);
        return result;
    }

    private void submit(Runnable task, CompletableFuture<?> result) {
        synchronized (this) {
            if (running >= parallelMax) {
                if (waiting.size() >= waitingMax) {
                    result.completeExceptionally(new DriverException(
                            DriverException.Kind.ENGINE_UNAVAILABLE,
                            "The container engine is too far behind: " + waitingMax + " calls wait already."));
                    return;
                }
                waiting.add(task);
                return;
            }
            running++;
        }
        start(task, result);
    }

    private void start(Runnable task, CompletableFuture<?> result) {
        try {
            executor.execute(() -> runAndGoOn(task));
        } catch (RejectedExecutionException closed) {
            synchronized (this) {
                running--;
            }
            result.completeExceptionally(
                    new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "The node is shutting down.", closed));
        }
    }

    private void runAndGoOn(Runnable first) {
        // One after the other on this thread: the lane keeps its place in the executor while it has work.
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
