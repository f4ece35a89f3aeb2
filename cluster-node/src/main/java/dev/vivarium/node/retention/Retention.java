package dev.vivarium.node.retention;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.persistence.follow.Sweeper;
import dev.vivarium.persistence.retention.RetentionSweep;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Clock;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes what has been kept for long enough, from time to time, and records that. Close it before the store. */
public final class Retention implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

    private final Sweeper sweeper;

    private Retention(Sweeper sweeper) {
        this.sweeper = sweeper;
    }

    /** Starts it on a thread of its own. */
    public static Retention start(Store store, RetentionSettings settings, Acts acts, Clock clock) {
        RetentionSweep sweep = new RetentionSweep(
                store.keptData(),
                store.journal(),
                settings,
                (tenant, kind, runs, kept) -> record(acts, tenant, kind, runs, kept),
                clock);
        Duration interval = settings.interval();
        Sweeper sweeper = new Sweeper(sweep, new Sweeper.Pace(interval, interval, interval), "vivarium-retention");
        sweeper.start();
        return new Retention(sweeper);
    }

    private static void record(Acts acts, Tenant tenant, Kind kind, int runs, Duration kept) {
        LOG.info("Deleted the {} of {} runs of tenant {}, kept for {}.", kind, runs, tenant, kept);
        acts.note((at, node) -> new Act.DataDeleted(at, node, tenant, data(kind), runs, new TimeSpan(kept)));
    }

    /** A kind of data, as acts name it. */
    static Act.Data data(Kind kind) {
        return switch (kind) {
            case OUTPUT -> Act.Data.OUTPUT;
            case ARTIFACTS -> Act.Data.ARTIFACTS;
        };
    }

    @Override
    public void close() {
        sweeper.close();
    }
}
