package dev.vivarium.client;

import java.io.InterruptedIOException;
import java.time.Duration;

/**
 * How long a client retries while a node does not answer. The delay doubles with each retry.
 *
 * @param budget how long it retries after the last sign of life
 * @param firstWait the delay after the first failure
 * @param longestWait the longest delay between two attempts
 */
public record RetryPolicy(Duration budget, Duration firstWait, Duration longestWait) {
    /** Long enough for a node's restart. */
    public static final RetryPolicy DEFAULT =
            new RetryPolicy(Duration.ofSeconds(15), Duration.ofMillis(100), Duration.ofSeconds(2));

    /** A single attempt. */
    public static final RetryPolicy NONE = new RetryPolicy(Duration.ZERO, Duration.ofMillis(1), Duration.ofMillis(1));

    Tries begin() {
        return new Tries(this);
    }

    /** Counts failures since the last sign of life. */
    static final class Tries {
        private final RetryPolicy retries;
        private Duration spent = Duration.ZERO;
        private Duration wait;

        private Tries(RetryPolicy retries) {
            this.retries = retries;
            this.wait = retries.firstWait;
        }

        void succeeded() {
            spent = Duration.ZERO;
            wait = retries.firstWait;
        }

        /** Waits and returns whether to retry; returns false immediately once the budget is spent. */
        boolean waitToRetry() throws InterruptedIOException {
            return waitToRetry(wait);
        }

        /** Waits as long as the node asked for, within the budget. */
        boolean waitToRetry(Duration asked) throws InterruptedIOException {
            Duration next = asked.compareTo(wait) > 0 ? asked : wait;
            if (spent.plus(next).compareTo(retries.budget) > 0) {
                return false;
            }
            spent = spent.plus(next);
            Duration doubled = wait.multipliedBy(2);
            wait = doubled.compareTo(retries.longestWait) > 0 ? retries.longestWait : doubled;
            pause(next);
            return true;
        }

        /** The pause before reopening a stream that ended early. */
        void pauseBeforeReopening() throws InterruptedIOException {
            pause(retries.firstWait);
        }

        private static void pause(Duration time) throws InterruptedIOException {
            try {
                Thread.sleep(time.toMillis());
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
    }
}
