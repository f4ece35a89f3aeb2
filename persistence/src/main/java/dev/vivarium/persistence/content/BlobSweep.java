package dev.vivarium.persistence.content;

import dev.vivarium.persistence.follow.StoreAnswer;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.follow.Sweeper;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes unused contents: holds of runs that ended or were never created, blobs without holds that were not written
 * for a grace period, and remains of interrupted uploads. Any number of nodes may sweep one store.
 */
public final class BlobSweep implements Sweep {
    private static final Logger log = LoggerFactory.getLogger(BlobSweep.class);

    private final BlobTables tables;
    private final BlobLeftovers leftovers;
    private final RunJournal journal;
    private final BlobSweepSettings settings;
    private final Clock clock;

    public BlobSweep(
            BlobTables tables, BlobLeftovers leftovers, RunJournal journal, BlobSweepSettings settings, Clock clock) {
        this.tables = tables;
        this.leftovers = leftovers;
        this.journal = journal;
        this.settings = settings;
        this.clock = clock;
    }

    /** Repeats the sweep on one thread, first after one interval. */
    public Sweeper sweeper() {
        Duration interval = settings.interval();
        return new Sweeper(this, new Sweeper.Pace(interval, interval, interval), "vivarium-blob-sweep");
    }

    @Override
    public String what() {
        return "The blobs";
    }

    @Override
    public void sweep(BooleanSupplier goOn) {
        Instant before = clock.instant().minus(settings.grace());
        leftovers.forEachHolder(before, each(goOn, "the holds of run", this::releaseIfOver));
        leftovers.forEachIdle(before, each(goOn, "blob", key -> leftovers.removeIfIdle(key, before)));
        leftovers.forEachStale(before, each(goOn, "upload", upload -> StoreAnswer.await(tables.discard(upload))));
    }

    /** A failed item is retried in the next sweep; the others continue. */
    private <T> Consumer<T> each(BooleanSupplier goOn, String what, Consumer<T> work) {
        return item -> {
            if (!goOn.getAsBoolean()) {
                return;
            }
            try {
                work.accept(item);
            } catch (RuntimeException failed) {
                log.warn("Sweeping {} {} failed and will be retried: {}", what, item, failed.getMessage());
            }
        };
    }

    private void releaseIfOver(RunId run) {
        if (!(StoreAnswer.await(journal.state(run)) instanceof RunState.Live)) {
            Done released = StoreAnswer.await(tables.release(run));
            log.debug("Released the blobs of run {}: {}", run, released);
        }
    }
}
