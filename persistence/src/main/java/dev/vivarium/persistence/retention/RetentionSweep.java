package dev.vivarium.persistence.retention;

import dev.vivarium.persistence.follow.StoreAnswer;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what has been kept of runs for long enough. It goes by what there is and not by what it did before, so that rules
 * can change at any time, in both directions. Any number of nodes may sweep one store.
 */
public final class RetentionSweep implements Sweep {
    private static final Logger log = LoggerFactory.getLogger(RetentionSweep.class);
    private final KeptData data;
    private final RunJournal journal;
    private final RetentionRules rules;
    private final Report report;
    private final Clock clock;

    /** Told what a sweep has deleted. */
    public interface Report {
        /**
         * Data of a tenant's runs is gone.
         *
         * @param runs how many runs had some
         * @param kept how long it had been kept at least
         */
        void deleted(Tenant tenant, Kind kind, int runs, Duration kept);
    }

    public RetentionSweep(KeptData data, RunJournal journal, RetentionRules rules, Report report, Clock clock) {
        this.data = data;
        this.journal = journal;
        this.rules = rules;
        this.report = report;
        this.clock = clock;
    }

    @Override
    public String what() {
        return "What is kept of runs";
    }

    @Override
    public void sweep(BooleanSupplier goOn) {
        for (Kind kind : Kind.values()) {
            Optional<Duration> shortest = rules.shortest(kind);
            if (shortest.isPresent()) {
                sweep(kind, clock.instant().minus(shortest.get()), goOn);
            }
        }
    }

    private void sweep(Kind kind, Instant submittedBefore, BooleanSupplier goOn) {
        SortedMap<Tenant, Integer> deleted = new TreeMap<>();
        try {
            data.forEach(kind, submittedBefore, run -> {
                if (goOn.getAsBoolean()) {
                    deletedOf(kind, run).ifPresent(tenant -> deleted.merge(tenant, 1, Integer::sum));
                }
            });
        } finally {
            deleted.forEach((tenant, runs) ->
                    rules.kept(tenant, kind).ifPresent(kept -> report.deleted(tenant, kind, runs, kept)));
        }
    }

    /** The tenant of a run whose data is gone now; a run that fails is tried again by the next sweep. */
    private Optional<Tenant> deletedOf(Kind kind, RunId run) {
        try {
            return StoreAnswer.await(journal.state(run)) instanceof RunState.Finished over
                            && isDue(kind, over)
                            && data.delete(kind, run)
                    ? Optional.of(tenant(over))
                    : Optional.empty();
        } catch (StoreUnavailable away) {
            throw away;
        } catch (RuntimeException failed) {
            log.warn("Whether the {} of run {} is still to be kept is not known: {}", kind, run, failed.getMessage());
            return Optional.empty();
        }
    }

    private boolean isDue(Kind kind, RunState.Finished run) {
        return rules.kept(tenant(run), kind)
                .filter(kept -> run.end().at().plus(kept).isBefore(clock.instant()))
                .isPresent();
    }

    private static Tenant tenant(RunState.Finished run) {
        return run.submission().spec().tenant();
    }
}
