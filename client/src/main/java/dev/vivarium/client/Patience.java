package dev.vivarium.client;

import java.io.InterruptedIOException;
import java.time.Duration;

/**
 * How long a client bears with a node that does not answer before it gives up. The waits between tries double.
 *
 * @param budget how long it tries since the last sign of life
 * @param firstWait the wait after the first failure
 * @param longestWait the longest wait between two tries
 */
public record Patience(Duration budget, Duration firstWait, Duration longestWait) {
    /** Long enough for a node that is restarted. */
    public static final Patience DEFAULT =
            new Patience(Duration.ofSeconds(15), Duration.ofMillis(100), Duration.ofSeconds(2));

    /** One try: every failure reaches the caller. */
    public static final Patience NONE = new Patience(Duration.ZERO, Duration.ofMillis(1), Duration.ofMillis(1));

    Tries begin() {
        return new Tries(this);
    }

    /** Counts the failures since the last sign of life. */
    static final class Tries {
        private final Patience patience;
        private Duration spent = Duration.ZERO;
        private Duration wait;

        private Tries(Patience patience) {
            this.patience = patience;
            this.wait = patience.firstWait;
        }

        void succeeded() {
            spent = Duration.ZERO;
            wait = patience.firstWait;
        }

        /** Waits and tells whether to try again; answers at once when the patience is at its end. */
        boolean again() throws InterruptedIOException {
            return again(wait);
        }

        /** Waits as long as the node asked for, if patience allows. */
        boolean again(Duration asked) throws InterruptedIOException {
            Duration next = asked.compareTo(wait) > 0 ? asked : wait;
            if (spent.plus(next).compareTo(patience.budget) > 0) {
                return false;
            }
            spent = spent.plus(next);
            Duration doubled = wait.multipliedBy(2);
            wait = doubled.compareTo(patience.longestWait) > 0 ? patience.longestWait : doubled;
            pause(next);
            return true;
        }

        /** The pause before a stream that ended without need is opened again. */
        void breathe() throws InterruptedIOException {
            pause(patience.firstWait);
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
