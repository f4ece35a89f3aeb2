package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Destroys the keys that should not exist. A run destroys its own key when it ends, but a node may die between the two,
 * or the disk may fail; a node or a store that fails between the sealing of secrets and the run's first event leaves a
 * key without a run; and a replica that was down for longer than its table keeps tombstones brings keys back. All nodes
 * that share the keys sweep them; the sweep is idempotent.
 *
 * <p>The run's last event gives its status, so one entry is read for each key. The run's row in the list would do, but
 * an irreversible step relies on the journal only.
 */
public final class KeySweep implements Sweep {
    private static final Logger log = LoggerFactory.getLogger(KeySweep.class);

    /**
     * The longest time from the sealing of a submission's secrets to its first event; a key without a run is kept for
     * that long. A slower submission would still be accepted, and its run would end because its secrets cannot be
     * opened.
     */
    public static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    private final RunKeys keys;
    private final RunJournal journal;
    private final Clock clock;
    /** Keys sealed before this time belong to no submission in flight; with several nodes that is unknown. */
    private final Instant submissionsSince;

    private KeySweep(RunKeys keys, RunJournal journal, Clock clock, Instant submissionsSince) {
        this.keys = keys;
        this.journal = journal;
        this.clock = clock;
        this.submissionsSince = submissionsSince;
    }

    /**
     * The sweep of a node that has the keys to itself. Create it before submissions are possible: older keys without a
     * run are leftovers.
     */
    public static KeySweep ofOneNode(RunKeys keys, RunJournal journal, Clock clock) {
        return new KeySweep(keys, journal, clock, clock.instant());
    }

    /** The sweep of a node that shares the keys with others, where submissions may be in flight at any time. */
    public static KeySweep ofSeveralNodes(RunKeys keys, RunJournal journal, Clock clock) {
        return new KeySweep(keys, journal, clock, Instant.MIN);
    }

    @Override
    public String what() {
        return "The keys of secrets";
    }

    @Override
    public void sweep(BooleanSupplier goOn) {
        Iterator<RunId> runs = keys.runs();
        while (goOn.getAsBoolean() && runs.hasNext()) {
            RunId run = runs.next();
            try {
                look(run);
            } catch (RuntimeException failed) {
                log.warn("The key of run {} will be checked again later: {}", run, reason(failed));
            }
        }
    }

    private void look(RunId run) {
        Optional<RunEvent> last = journal.lastEvent(run).toCompletableFuture().join();
        if (last.isEmpty()) {
            keys.shredUnlessSealedSince(run, leftoverBefore());
        } else if (last.get() instanceof RunEvent.Terminal) {
            keys.shred(run);
        } else {
            keys.renew(run);
        }
    }

    private Instant leftoverBefore() {
        Instant tooOld = clock.instant().minus(SUBMISSION_MAX);
        return tooOld.isAfter(submissionsSince) ? tooOld : submissionsSince;
    }

    private static String reason(RuntimeException failed) {
        Throwable cause = StageFailure.cause(failed);
        return String.valueOf(cause.getMessage());
    }
}
