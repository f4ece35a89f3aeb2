package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.cassandra.FoldedRuns.Folded;
import dev.vivarium.persistence.cassandra.RunIndexTables.Place;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the list of runs as the journal says. It is told of each run that has got a new entry, folds the run's events and
 * writes what it has become; doing it twice, or too late, changes nothing.
 *
 * <p>Three ways lead here, since what is kept in memory dies with the node. The node that persists tells of every change
 * at once ({@link #committed}), and goes on trying while the store is away. Whoever recovers a run, after a failover or a
 * restart, has it projected once more ({@link #recovered}), which closes the gap that a crash between an event and its
 * projection leaves. And what nobody recovers any more is found by a sweep through the live runs: every run stands there
 * from before its first event until its last one is projected.
 *
 * <p>Rejected: eventsByTag, whose delay is seconds where a list should be right within one, and whose tags cost a third of
 * the write rate. One thread of its own, which starts work and never waits for it, and one that sweeps.
 */
final class RunProjection implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RunProjection.class);

    /** Runs projected at once. */
    private static final int CONCURRENCY = 32;

    /** Of which recovered and swept ones, at most: they are not in a hurry, and after a failover they are many. */
    private static final int LATER_CONCURRENCY = 2;

    /** Runs that may wait; what comes beyond it is left to the sweep, and says so. */
    private static final int WAITING_MAX = 200_000;

    /** The sweep stops adding when so many wait. */
    private static final int SWEPT_WAITING_MAX = 1_000;

    private static final Duration RETRY = Duration.ofMillis(500);
    private static final Duration FIRST_SWEEP = Duration.ofSeconds(10);
    private static final Duration SWEEP_INTERVAL = Duration.ofMinutes(10);

    /** A run that was announced and has no event for so long never gets one: its submission failed. */
    static final Duration SUBMISSION_MAX = Duration.ofMinutes(10);

    /** An hour this long ago gets no new runs, whatever clocks say. */
    private static final long CLOSED_BUCKETS = 24;

    private static final long CLOSE_MILLIS_MAX = 5_000;

    private final CassandraRunJournal journal;
    private final RunIndexTables tables;
    private final Clock clock;
    private final FoldedRuns folded = new FoldedRuns();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread projector = thread(this::keepProjecting, "vivarium-projection");
    private final Thread sweeper = thread(this::keepSweeping, "vivarium-run-sweep");

    private final Object lock = new Object();
    /** Runs and since when they wait, oldest first; under the lock, as all that follows. */
    private final Map<RunId, Long> urgent = new LinkedHashMap<>();

    private final Map<RunId, Long> later = new LinkedHashMap<>();
    private final Map<RunId, Task> underWay = new HashMap<>();
    private Trouble trouble = Trouble.NONE;

    /** Whether the last try failed. */
    private enum Trouble {
        NONE,
        TOLD
    }

    private enum Lane {
        URGENT,
        LATER
    }

    private record Task(RunId run, Lane lane, long sinceNanos) {}

    RunProjection(CassandraRunJournal journal, RunIndexTables tables, Clock clock) {
        this.journal = journal;
        this.tables = tables;
        this.clock = clock;
    }

    void start() {
        projector.start();
        sweeper.start();
    }

    // ---- what it is told

    /** A run is about to get its first entry; when the stage completes, the run can no longer be forgotten. */
    CompletionStage<Done> announce(RunId run, JournalEntry first) {
        try {
            return EventCodec.standard().decode(first) instanceof RunEvent.RunSubmitted submitted
                    ? tables.announce(run, submitted.at(), submitted.spec())
                    : CompletableFuture.completedFuture(Done.getInstance());
        } catch (UnreadableEntry unknown) {
            // It will be refused by whoever folds it; the journal itself takes what it is given.
            return CompletableFuture.completedFuture(Done.getInstance());
        }
    }

    /** Entries of a run have been committed by this node. */
    void committed(RunId run, long firstSeq, List<JournalEntry> entries) {
        folded.committed(run, firstSeq, entries);
        add(urgent, run);
    }

    /** A run may have a new entry, which only the journal knows. */
    void unsettled(RunId run) {
        folded.forget(run);
        add(urgent, run);
    }

    /** A run was read back from the journal, by a new owner perhaps. */
    void recovered(RunId run) {
        add(later, run);
    }

    private void add(Map<RunId, Long> lane, RunId run) {
        synchronized (lock) {
            if (urgent.size() + later.size() >= WAITING_MAX) {
                log.warn("The list of runs is {} runs behind: run {} is left to the next sweep.", WAITING_MAX, run);
                return;
            }
            lane.putIfAbsent(run, System.nanoTime());
            lock.notifyAll();
        }
    }

    /** How old the list's answers may be, as far as this node's own changes go. */
    Duration lag() {
        synchronized (lock) {
            long now = System.nanoTime();
            long oldest = urgent.values().stream()
                    .mapToLong(since -> now - since)
                    .max()
                    .orElse(0);
            long started = underWay.values().stream()
                    .filter(task -> task.lane() == Lane.URGENT)
                    .mapToLong(task -> now - task.sinceNanos())
                    .max()
                    .orElse(0);
            return Duration.ofNanos(Math.max(oldest, started));
        }
    }

    // ---- projecting

    private void keepProjecting() {
        try {
            while (closing.getCount() > 0) {
                start(next());
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a run that can be projected now. */
    private Task next() throws InterruptedException {
        synchronized (lock) {
            while (true) {
                if (trouble == Trouble.TOLD && !underWay.isEmpty()) {
                    // One at a time until the store is back.
                    lock.wait();
                    continue;
                }
                Task task = underWay.size() < CONCURRENCY ? take(urgent, Lane.URGENT) : null;
                if (task == null && count(Lane.LATER) < LATER_CONCURRENCY) {
                    task = take(later, Lane.LATER);
                }
                if (task != null) {
                    underWay.put(task.run(), task);
                    return task;
                }
                lock.wait();
            }
        }
    }

    private @org.jspecify.annotations.Nullable Task take(Map<RunId, Long> lane, Lane name) {
        Iterator<Map.Entry<RunId, Long>> waiting = lane.entrySet().iterator();
        while (waiting.hasNext()) {
            Map.Entry<RunId, Long> first = waiting.next();
            // A run that is under way has changed again since: it waits, or the older result could be the last.
            if (!underWay.containsKey(first.getKey())) {
                waiting.remove();
                return new Task(first.getKey(), name, first.getValue());
            }
        }
        return null;
    }

    private long count(Lane lane) {
        return underWay.values().stream().filter(task -> task.lane() == lane).count();
    }

    private void start(Task task) {
        project(task).whenComplete((done, failed) -> {
            if (failed != null && isOutage(failed)) {
                tell(failed);
                CompletableFuture.delayedExecutor(RETRY.toMillis(), TimeUnit.MILLISECONDS)
                        .execute(() -> ended(task, Trouble.TOLD));
            } else {
                if (failed != null) {
                    // One damaged run must not hide all others.
                    log.error(
                            "Run {} cannot be shown in lists: {}",
                            task.run(),
                            cause(failed).toString());
                }
                ended(task, Trouble.NONE);
            }
        });
    }

    private void ended(Task task, Trouble now) {
        synchronized (lock) {
            underWay.remove(task.run());
            if (now == Trouble.TOLD) {
                (task.lane() == Lane.URGENT ? urgent : later).merge(task.run(), task.sinceNanos(), Math::min);
            }
            trouble = now;
            lock.notifyAll();
        }
    }

    private void tell(Throwable failed) {
        synchronized (lock) {
            if (trouble == Trouble.NONE && closing.getCount() > 0) {
                log.warn(
                        "The list of runs cannot follow the journal for now: {}",
                        cause(failed).getMessage());
            }
            trouble = Trouble.TOLD;
        }
    }

    private static boolean isOutage(Throwable failed) {
        return cause(failed) instanceof StoreUnavailable;
    }

    private static Throwable cause(Throwable failed) {
        return failed instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failed;
    }

    /**
     * What this node has just committed it knows; for whatever somebody else may have gone on with, the journal is read.
     */
    private CompletionStage<Done> project(Task task) {
        RunId run = task.run();
        Optional<Folded> known = task.lane() == Lane.URGENT ? folded.of(run) : Optional.empty();
        return known.isPresent()
                ? write(run, known.get().state(), known.get().seq())
                : journal.events(run, 1).thenCompose(events -> write(run, events));
    }

    private CompletionStage<Done> write(RunId run, List<RecordedEvent> events) {
        return CassandraRunJournal.fold(events) instanceof RunState.Existing state
                ? write(run, state, events.get(events.size() - 1).seq())
                : CompletableFuture.completedFuture(Done.getInstance());
    }

    private CompletionStage<Done> write(RunId run, RunState.Existing state, long seq) {
        return tables.write(state, seq).thenApply(done -> {
            if (state.status().isTerminal()) {
                folded.forget(run);
            }
            return done;
        });
    }

    // ---- sweeping

    private void keepSweeping() {
        try {
            Duration pause = FIRST_SWEEP;
            while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    sweep();
                    pause = SWEEP_INTERVAL;
                } catch (RuntimeException failed) {
                    log.warn("The live runs cannot be looked at for now: {}", failed.getMessage());
                    pause = FIRST_SWEEP;
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Has every run that stands among the live ones projected again, slowly, and removes what never became a run. */
    void sweep() throws InterruptedException {
        Instant now = clock.instant();
        long current = RunIndexTables.bucketOf(RunIndexTables.micros(now));
        for (long bucket : Cassandra.await(tables.buckets(RunIndexTables.LIVE, 0, Long.MAX_VALUE))) {
            List<Place> live = Cassandra.await(tables.live(bucket));
            for (Place place : live) {
                awaitRoom();
                RunId run = new RunId(place.run());
                if (isAbandoned(run, place, now)) {
                    Cassandra.await(tables.forgetLive(place));
                } else {
                    add(later, run);
                }
            }
            if (live.isEmpty() && bucket < current - CLOSED_BUCKETS) {
                Cassandra.await(tables.forgetLiveBucket(bucket));
            }
        }
    }

    private boolean isAbandoned(RunId run, Place place, Instant now) {
        return RunIndexTables.micros(now.minus(SUBMISSION_MAX)) > place.submittedMicros()
                && Cassandra.await(tables.view(run.value())).isEmpty()
                && Cassandra.await(journal.events(run, 1)).isEmpty();
    }

    private void awaitRoom() throws InterruptedException {
        synchronized (lock) {
            while (later.size() >= SWEPT_WAITING_MAX && closing.getCount() > 0) {
                lock.wait();
            }
        }
    }

    private static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Gives what waits a little time, and stops. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS_MAX);
        try {
            synchronized (lock) {
                while (trouble == Trouble.NONE && !(urgent.isEmpty() && underWay.isEmpty())) {
                    long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                    if (left <= 0) {
                        break;
                    }
                    lock.wait(left);
                }
            }
            closing.countDown();
            projector.interrupt();
            sweeper.interrupt();
            projector.join(CLOSE_MILLIS_MAX);
            sweeper.join(CLOSE_MILLIS_MAX);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
