package dev.vivarium.persistence.content;

import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the contents that nobody needs, again and again: holds whose run has ended or never came to life, blobs that no
 * run holds and nobody has written for a grace, and what uploads left that were cut off. Any number of nodes may sweep
 * one store. One thread of its own.
 */
public final class BlobSweep implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BlobSweep.class);

    private static final long CLOSE_MILLIS_MAX = 5_000;
    private static final long ANSWER_SECONDS_MAX = 60;

    private final BlobTables tables;
    private final BlobLeftovers leftovers;
    private final RunJournal journal;
    private final BlobSweepSettings settings;
    private final Clock clock;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    public BlobSweep(
            BlobTables tables, BlobLeftovers leftovers, RunJournal journal, BlobSweepSettings settings, Clock clock) {
        this.tables = tables;
        this.leftovers = leftovers;
        this.journal = journal;
        this.settings = settings;
        this.clock = clock;
        this.thread = new Thread(this::keepSweeping, "vivarium-blob-sweep");
        this.thread.setDaemon(true);
    }

    /** Sweeps from now on, for the first time after one interval. */
    public void start() {
        thread.start();
    }

    private void keepSweeping() {
        try {
            while (!closing.await(settings.interval().toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    sweep();
                } catch (RuntimeException failed) {
                    log.warn("The blobs cannot be swept for now: {}", failed.getMessage());
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Looks at everything once. */
    public void sweep() {
        Instant before = clock.instant().minus(settings.grace());
        leftovers.forEachHolder(before, each("the holds of run", this::releaseIfOver));
        leftovers.forEachIdle(before, each("blob", key -> leftovers.removeIfIdle(key, before)));
        leftovers.forEachStale(before, each("upload", upload -> await(tables.discard(upload))));
    }

    /** One that fails is looked at again the next time, and the others now. */
    private <T> Consumer<T> each(String what, Consumer<T> work) {
        return item -> {
            if (closing.getCount() == 0) {
                return;
            }
            try {
                work.accept(item);
            } catch (RuntimeException failed) {
                log.warn("The sweep looks at {} {} again later: {}", what, item, failed.getMessage());
            }
        };
    }

    private void releaseIfOver(RunId run) {
        if (!(await(journal.state(run)) instanceof RunState.Live)) {
            Done released = await(tables.release(run));
            log.debug("Run {} holds no blobs any more: {}", run, released);
        }
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture()
                    .orTimeout(ANSWER_SECONDS_MAX, TimeUnit.SECONDS)
                    .join();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof RuntimeException cause
                    ? cause
                    : new StoreUnavailable("The store does not answer.", failed);
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
