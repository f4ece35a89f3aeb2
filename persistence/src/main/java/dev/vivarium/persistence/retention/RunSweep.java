package dev.vivarium.persistence.retention;

import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.LoggedRun;
import dev.vivarium.persistence.follow.StoreAnswer;
import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.SubmissionTime;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes runs with their events once they have been kept for long enough. What is to be deleted is first recorded as an act,
 * and deleted when a checkpoint has it, so that the log explains what it lacks. A run whose entries in the journal are not
 * what the log has stays. It goes by what there is, as {@link RetentionSweep} does; nodes that sweep at the same time record
 * the same runs twice at worst.
 */
public final class RunSweep implements Sweep {
    private static final Logger log = LoggerFactory.getLogger(RunSweep.class);

    /** Events of a batch: they are named by their positions in one act. A run with more is one by itself. */
    private static final int EVENTS_MAX = 10_000;

    /** How often, and with which pauses, the log is asked for an act; normally it has it within a second. */
    private static final int ASKS_MAX = 300;

    private static final long ASK_PAUSE_MILLIS = 100;

    private final EndedRuns runs;
    private final HoldStore holds;
    private final RunJournal journal;
    private final AuditLog audit;
    private final RetentionRules rules;
    private final Recorder recorder;
    private final Clock clock;

    /** Records deletions. */
    public interface Recorder {
        /** Returns once it is durable that these runs of a tenant are to be deleted; fails where it cannot be. */
        void toDelete(Tenant tenant, Duration kept, Positions positions, List<Act.DeletedRun> runs);

        /** They are deleted. */
        void deleted(Tenant tenant, int runs, Duration kept);
    }

    public RunSweep(
            EndedRuns runs,
            HoldStore holds,
            RunJournal journal,
            AuditLog audit,
            RetentionRules rules,
            Recorder recorder,
            Clock clock) {
        this.runs = runs;
        this.holds = holds;
        this.journal = journal;
        this.audit = audit;
        this.rules = rules;
        this.recorder = recorder;
        this.clock = clock;
    }

    @Override
    public String what() {
        return "What runs are to be deleted";
    }

    @Override
    public void sweep(BooleanSupplier goOn) {
        rules.shortestOfEvents().ifPresent(shortest -> new OneSweep(goOn).sweep(shortest));
    }

    /** What a sweep remembers. */
    private final class OneSweep {
        private final BooleanSupplier goOn;
        private final Map<Tenant, List<LoggedRun>> due = new HashMap<>();
        private final Set<Tenant> held = new HashSet<>();
        private int differing;

        OneSweep(BooleanSupplier goOn) {
            this.goOn = goOn;
        }

        void sweep(Duration shortest) {
            StoreAnswer.await(holds.list()).forEach(hold -> held.add(hold.tenant()));
            runs.forEach(clock.instant().minus(shortest), this::visit);
            due.keySet().forEach(this::delete);
            if (differing > 0) {
                log.warn(
                        "{} runs stay although their time is over: the log does not have their events as the journal has"
                                + " them, or not yet.",
                        differing);
            }
        }

        private void visit(Tenant tenant, RunId run) {
            if (!goOn.getAsBoolean() || held.contains(tenant)) {
                return;
            }
            rules.eventsKept(tenant).filter(kept -> isDue(run, kept)).ifPresent(kept -> {
                Optional<LoggedRun> logged = StoreAnswer.await(audit.logged(run));
                if (logged.isEmpty()) {
                    differing++;
                    return;
                }
                List<LoggedRun> batch = due.computeIfAbsent(tenant, first -> new ArrayList<>());
                if (!batch.isEmpty() && events(batch) + logged.get().positions().size() > EVENTS_MAX) {
                    delete(tenant);
                }
                batch.add(logged.get());
                if (batch.size() == Act.RunsDeleted.RUNS_MAX) {
                    delete(tenant);
                }
            });
        }

        private boolean isDue(RunId run, Duration kept) {
            if (!SubmissionTime.of(run).plus(kept).isBefore(clock.instant())) {
                return false;
            }
            try {
                return StoreAnswer.await(journal.state(run)) instanceof RunState.Finished over
                        && over.end().at().plus(kept).isBefore(clock.instant());
            } catch (StoreUnavailable away) {
                throw away;
            } catch (RuntimeException unreadable) {
                differing++;
                return false;
            }
        }

        private static int events(List<LoggedRun> batch) {
            return batch.stream().mapToInt(run -> run.positions().size()).sum();
        }

        /** Records a batch, waits until the log has the record, and deletes. */
        private void delete(Tenant tenant) {
            List<LoggedRun> batch = due.getOrDefault(tenant, List.of());
            if (batch.isEmpty() || held.contains(tenant)) {
                return;
            }
            List<LoggedRun> these = List.copyOf(batch);
            batch.clear();
            Duration kept = rules.eventsKept(tenant).orElseThrow();
            Positions positions = Positions.of(
                    these.stream().flatMap(run -> run.positions().stream()).toList());
            long before = StoreAnswer.await(audit.head()).size();
            recorder.toDelete(
                    tenant,
                    kept,
                    positions,
                    these.stream()
                            .map(run -> new Act.DeletedRun(
                                    run.run(), run.positions().size(), run.head()))
                            .toList());
            if (!isLogged(positions, before)) {
                throw new StoreUnavailable(
                        "The log of events does not get further, and runs are deleted when it has a record of that.");
            }
            Deletion deletion =
                    runs.delete(tenant, these.stream().map(LoggedRun::run).toList());
            if (deletion == Deletion.HELD) {
                held.add(tenant);
            } else if (deletion == Deletion.DELETED) {
                recorder.deleted(tenant, these.size(), kept);
            }
        }

        private boolean isLogged(Positions positions, long from) {
            try {
                for (int asked = 0; asked < ASKS_MAX && goOn.getAsBoolean(); asked++) {
                    if (StoreAnswer.await(audit.isDeletionLogged(positions, from))) {
                        return true;
                    }
                    TimeUnit.MILLISECONDS.sleep(ASK_PAUSE_MILLIS);
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
            return false;
        }
    }
}
