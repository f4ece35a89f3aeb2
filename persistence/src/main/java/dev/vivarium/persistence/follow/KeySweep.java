package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Destroys the keys that should not exist. A run destroys its own when it ends, but a node may die between the two, or the
 * disk may refuse; a node that dies, or a store that fails, between the sealing of secrets and the run's first event leaves
 * a key of no run; and a replica that was away for longer than its table remembers deletions brings keys back. Nodes that
 * share the keys all do it; twice is as good as once.
 *
 * <p>The run's last event says what it has become, so one entry is read for each key. Not the run's row in a list: what
 * destroys a key for good goes by the journal.
 */
public final class KeySweep implements Sweep {
    private static final Logger log = LoggerFactory.getLogger(KeySweep.class);

    /**
     * How long a submission may take from sealing to its first event; a key of no run is left alone for so long. The event
     * of a slower one would still be accepted, and the run then end because its secrets cannot be opened.
     */
    public static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    private final RunKeys keys;
    private final RunJournal journal;
    private final Clock clock;
    /** Since when there can be keys of submissions under way that this node has not seen to an end. */
    private final Instant submissionsSince;

    private KeySweep(RunKeys keys, RunJournal journal, Clock clock, Instant submissionsSince) {
        this.keys = keys;
        this.journal = journal;
        this.clock = clock;
        this.submissionsSince = submissionsSince;
    }

    /**
     * The sweep of a node that has the keys to itself. To be made before anybody can submit: older keys of no run are
     * leftovers.
     */
    public static KeySweep ofOneNode(RunKeys keys, RunJournal journal, Clock clock) {
        return new KeySweep(keys, journal, clock, clock.instant());
    }

    /** The sweep of a node that shares the keys with others, at which submissions may be under way at any time. */
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
                log.warn("The key of run {} is looked at again later: {}", run, reason(failed));
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
        Throwable cause =
                failed instanceof CompletionException && failed.getCause() != null ? failed.getCause() : failed;
        return String.valueOf(cause.getMessage());
    }
}
