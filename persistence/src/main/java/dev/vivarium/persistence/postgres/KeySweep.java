package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Destroys the keys that should not exist, at the start and again and again: a run destroys its own when it ends, but a
 * node may die between the two, or the disk may refuse; and a node that dies, or a store that fails, between the sealing
 * of secrets and the run's first event leaves a key of no run. One thread of its own.
 */
final class KeySweep implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KeySweep.class);

    /** How often it looks; next to nothing while no live run has secrets. */
    private static final Duration INTERVAL = Duration.ofSeconds(15);

    /**
     * How long a submission may take from sealing to its first event; a key of no run is left alone for so long. The event
     * of a slower one would still be accepted, and the run then end because its secrets cannot be opened.
     */
    static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    private static final long CLOSE_MILLIS_MAX = 5_000;

    private final FileSecretVault vault;
    private final Database database;
    private final PostgresJournal journal;
    private final Clock clock;
    /** Since when there can be keys of submissions under way that this node has not seen to an end. */
    private final Instant submissionsSince;

    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    /** Of a node that has the vault to itself. To be made before anybody can submit: older keys of no run are nobody's. */
    KeySweep(FileSecretVault vault, Database database, PostgresJournal journal, Clock clock) {
        this(vault, database, journal, clock, clock.instant());
    }

    /** Of a node that shares the vault with others, at which submissions may be under way at any time. */
    static KeySweep ofShared(FileSecretVault vault, Database database, PostgresJournal journal, Clock clock) {
        return new KeySweep(vault, database, journal, clock, Instant.MIN);
    }

    private KeySweep(
            FileSecretVault vault, Database database, PostgresJournal journal, Clock clock, Instant submissionsSince) {
        this.vault = vault;
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.submissionsSince = submissionsSince;
        this.thread = new Thread(this::keepSweeping, "vivarium-key-sweep");
        this.thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    private void keepSweeping() {
        try {
            do {
                try {
                    sweep();
                } catch (RuntimeException failed) {
                    log.warn("The keys of secrets cannot be looked at for now: {}", failed.getMessage());
                }
            } while (!closing.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Looks at every key once. */
    void sweep() {
        for (RunId run : vault.runsWithKeys()) {
            try {
                RunState state = database.transactNow(
                        "read the events of run " + run,
                        connection -> PostgresJournal.fold(journal.recorded(connection, run, 1)));
                if (state instanceof RunState.Finished) {
                    vault.shredNow(run);
                } else if (state instanceof RunState.Unborn) {
                    vault.shredUnlessSealedSince(run, nobodysBefore());
                }
            } catch (RuntimeException failed) {
                log.warn("The key of run {} is looked at again later: {}", run, failed.getMessage());
            }
        }
    }

    private Instant nobodysBefore() {
        Instant tooOld = clock.instant().minus(SUBMISSION_MAX);
        return tooOld.isAfter(submissionsSince) ? tooOld : submissionsSince;
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
