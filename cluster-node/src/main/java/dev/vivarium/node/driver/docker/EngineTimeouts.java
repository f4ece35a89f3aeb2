package dev.vivarium.node.driver.docker;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Limits blocking calls by interrupting their thread, which closes the Unix socket that it waits for. Needed because
 * the client library's response timeout has no effect on Unix sockets.
 */
final class EngineTimeouts implements AutoCloseable {
    private final ScheduledThreadPoolExecutor timer;

    EngineTimeouts() {
        timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "vivarium-docker-timeouts");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
    }

    /**
     * Runs the call on the calling thread.
     *
     * @throws TimeoutException when it did not end in time
     * @throws Exception the call's own exceptions
     */
    <T> T within(Duration limit, Callable<T> call) throws Exception {
        Guard guard = new Guard(Thread.currentThread());
        ScheduledFuture<?> expiry = timer.schedule(guard::expire, limit.toNanos(), TimeUnit.NANOSECONDS);
        try {
            T result = call.call();
            guard.finish();
            return result;
        } catch (Exception failure) {
            if (guard.finish()) {
                TimeoutException late = new TimeoutException("no answer within " + limit.toMillis() + " ms");
                late.initCause(failure);
                throw late;
            }
            throw failure;
        } finally {
            expiry.cancel(false);
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    /** Ensures that the thread is interrupted during the call or not at all. */
    private static final class Guard {
        private final Thread thread;
        private boolean finished;
        private boolean expired;

        Guard(Thread thread) {
            this.thread = thread;
        }

        synchronized void expire() {
            if (!finished) {
                expired = true;
                thread.interrupt();
            }
        }

        /** Returns whether the time limit had passed before. */
        synchronized boolean finish() {
            finished = true;
            if (expired) {
                // Clears the interrupt, which was meant for the finished call; the thread belongs to a pool.
                Thread.interrupted();
            }
            return expired;
        }
    }
}
