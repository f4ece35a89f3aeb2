package dev.vivarium.persistence.retention;

import dev.vivarium.persistence.follow.StoreAnswer;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
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
        Set<Tenant> held = new HashSet<>();
        try {
            data.forEach(kind, submittedBefore, run -> {
                if (goOn.getAsBoolean()) {
                    deletedOf(kind, run, held).ifPresent(tenant -> deleted.merge(tenant, 1, Integer::sum));
                }
            });
        } finally {
            deleted.forEach((tenant, runs) ->
                    rules.kept(tenant, kind).ifPresent(kept -> report.deleted(tenant, kind, runs, kept)));
        }
    }

    /** The tenant of a run whose data is gone now; a run that fails is tried again by the next sweep. */
    private Optional<Tenant> deletedOf(Kind kind, RunId run, Set<Tenant> held) {
        try {
            return StoreAnswer.await(journal.state(run)) instanceof RunState.Finished over
                            && isDue(kind, over)
                            && isDeleted(kind, tenant(over), run, held)
                    ? Optional.of(tenant(over))
                    : Optional.empty();
        } catch (StoreUnavailable away) {
            throw away;
        } catch (RuntimeException failed) {
            log.warn("Whether the {} of run {} is still to be kept is not known: {}", kind, run, failed.getMessage());
            return Optional.empty();
        }
    }

    /**
     * The store looks for a hold before each deletion. A tenant that was found held is left alone for the rest of the sweep:
     * a hold that is removed meanwhile is followed by the next one.
     */
    private boolean isDeleted(Kind kind, Tenant tenant, RunId run, Set<Tenant> held) {
        if (held.contains(tenant)) {
            return false;
        }
        Deletion deletion = data.delete(kind, tenant, run);
        if (deletion == Deletion.HELD) {
            held.add(tenant);
        }
        return deletion == Deletion.DELETED;
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
