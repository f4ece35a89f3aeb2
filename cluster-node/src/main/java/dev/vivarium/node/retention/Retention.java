package dev.vivarium.node.retention;

import com.typesafe.config.ConfigException;
import dev.vivarium.node.acts.Acts;
import dev.vivarium.persistence.follow.StoreAnswer;
import dev.vivarium.persistence.follow.Sweeper;
import dev.vivarium.persistence.retention.RetentionSweep;
import dev.vivarium.persistence.retention.RunSweep;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes what has been kept for long enough, from time to time, and records that. Close it before the store. */
public final class Retention implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

    private final List<Sweeper> sweepers;

    private Retention(List<Sweeper> sweepers) {
        this.sweepers = sweepers;
    }

    /**
     * Starts it on threads of its own.
     *
     * @throws ConfigException when events are to be deleted and the store cannot do that
     */
    public static Retention start(Store store, RetentionSettings settings, Acts acts, Clock clock) {
        RetentionSweep sweep = new RetentionSweep(
                store.keptData(),
                store.journal(),
                settings,
                (tenant, kind, runs, kept) -> record(acts, tenant, kind, runs, kept),
                clock);
        Duration interval = settings.interval();
        Sweeper.Pace pace = new Sweeper.Pace(interval, interval, interval);
        List<Sweeper> sweepers = new ArrayList<>();
        sweepers.add(new Sweeper(sweep, pace, "vivarium-retention"));
        if (settings.shortestOfEvents().isPresent()) {
            sweepers.add(new Sweeper(runs(store, settings, acts, clock), pace, "vivarium-retention-of-events"));
        }
        sweepers.forEach(Sweeper::start);
        return new Retention(sweepers);
    }

    private static RunSweep runs(Store store, RetentionSettings settings, Acts acts, Clock clock) {
        EndedRuns runs = store.endedRuns()
                .orElseThrow(() -> new ConfigException.BadValue(
                        "vivarium.retention.events",
                        "must be forever with this kind of store: events cannot be deleted in Cassandra yet"));
        return new RunSweep(runs, store.holds(), store.journal(), store.audit(), settings, new ActsOfRuns(acts), clock);
    }

    /** Puts on record what is deleted. */
    private record ActsOfRuns(Acts acts) implements RunSweep.Recorder {
        @Override
        public void toDelete(Tenant tenant, Duration kept, Positions positions, List<Act.DeletedRun> runs) {
            StoreAnswer.await(acts.record(
                    (at, node) -> new Act.RunsDeleted(at, node, tenant, new TimeSpan(kept), positions, runs)));
        }

        @Override
        public void deleted(Tenant tenant, int runs, Duration kept) {
            LOG.info("Deleted {} runs of tenant {} with their events, kept for {}.", runs, tenant, kept);
        }
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
        sweepers.forEach(Sweeper::close);
    }
}
