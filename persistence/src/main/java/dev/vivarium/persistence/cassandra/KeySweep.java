package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Destroys the keys that should not exist, at the start and again and again: a run destroys its own when it ends, but a
 * node may die between the two; one that dies between the sealing of secrets and the run's first event leaves a key of no
 * run; and a replica that was away for longer than the table remembers deletions brings keys back. Every node does it, and
 * twice is as good as once. One thread of its own.
 */
final class KeySweep implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KeySweep.class);

    /** How often it looks at every key that there is. */
    private static final Duration INTERVAL = Duration.ofSeconds(60);

    private static final Duration FIRST = Duration.ofSeconds(2);

    /** How long a submission may take from sealing to its first event; a key of no run is left alone for so long. */
    static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    private static final String KEYS = "SELECT run_id FROM secret_key";
    private static final int ROWS_A_PAGE = 200;
    private static final long CLOSE_MILLIS_MAX = 5_000;

    private final Cassandra cassandra;
    private final CassandraSecretVault vault;
    private final CassandraRunJournal journal;
    private final Clock clock;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread = new Thread(this::keepSweeping, "vivarium-key-sweep");

    KeySweep(Cassandra cassandra, CassandraSecretVault vault, CassandraRunJournal journal, Clock clock) {
        this.cassandra = cassandra;
        this.vault = vault;
        this.journal = journal;
        this.clock = clock;
        this.thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    private void keepSweeping() {
        try {
            Duration pause = FIRST;
            while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                pause = INTERVAL;
                try {
                    sweep();
                } catch (RuntimeException failed) {
                    log.warn("The keys of secrets cannot be looked at for now: {}", failed.getMessage());
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Looks at every key once. */
    void sweep() {
        AsyncResultSet page = Cassandra.await(cassandra.page("list the keys of secrets", ROWS_A_PAGE, KEYS));
        while (closing.getCount() > 0) {
            page.currentPage().forEach(row -> look(new RunId(String.valueOf(row.getString(0)))));
            if (!page.hasMorePages()) {
                return;
            }
            page = Cassandra.await(page.fetchNextPage());
        }
    }

    private void look(RunId run) {
        try {
            RunState state = Cassandra.await(journal.state(run));
            if (state instanceof RunState.Finished) {
                Cassandra.await(vault.shred(run));
            } else if (state instanceof RunState.Unborn) {
                Cassandra.await(
                        vault.shredUnlessSealedSince(run, clock.instant().minus(SUBMISSION_MAX)));
            } else {
                Cassandra.await(vault.wrapAnew(run));
            }
        } catch (RuntimeException failed) {
            log.warn("The key of run {} is looked at again later: {}", run, failed.getMessage());
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
