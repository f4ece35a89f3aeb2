package dev.vivarium.persistence.follow;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Repeats a {@link Sweep}, on one thread, for as long as the store is open. */
public final class Sweeper implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Sweeper.class);

    private static final long CLOSE_MILLIS_MAX = 5_000;

    private final Sweep sweep;
    private final Pace pace;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    /**
     * How often it sweeps.
     *
     * @param first the pause before the first sweep
     * @param interval the pause after a sweep
     * @param afterFailure the pause after a failed sweep
     */
    public record Pace(Duration first, Duration interval, Duration afterFailure) {}

    /** Creates a sweeper without starting it. */
    public Sweeper(Sweep sweep, Pace pace, String name) {
        this.sweep = sweep;
        this.pace = pace;
        this.thread = new Thread(this::keepSweeping, name);
        this.thread.setDaemon(true);
    }

    /** Starts the thread. */
    public void start() {
        thread.start();
    }

    private void keepSweeping() {
        try {
            Duration pause = pace.first();
            while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    sweep.sweep(() -> closing.getCount() > 0);
                    pause = pace.interval();
                } catch (RuntimeException failed) {
                    log.warn("{} cannot be looked at for now: {}", sweep.what(), failed.getMessage());
                    pause = pace.afterFailure();
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(CLOSE_MILLIS_MAX);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
