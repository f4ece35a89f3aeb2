package dev.vivarium.persistence.follow;

import dev.vivarium.persistence.follow.JournalFeed.Batch;
import dev.vivarium.persistence.follow.JournalFeed.Rest;
import dev.vivarium.persistence.follow.JournalFeed.Written;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the journal for one {@link Projection}: reads new entries, applies them to the projection's rows, and writes
 * rows and offset together. A run is read from the entry after its row, and from its first entry only if it has no row.
 * Steps are idempotent.
 *
 * <p>An entry that cannot be read stops its own run's row and nothing else: the row stays at the entry before it, the
 * store records the run, and every follower retries it at start and from time to time, so that a node of a newer
 * version brings it up to date. {@link #lag} and {@link #unreadable} say how far the rows can be relied on.
 *
 * <p>The meaning of an offset depends on the store: PostgreSQL has one position in a total order of all entries;
 * Cassandra, which has no such order, has one for each run, the number of the last entry in its row. See their feeds.
 * One thread per follower.
 *
 * @param <R> what a row holds
 */
public final class JournalFollower<R> implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JournalFollower.class);

    /** The poll interval of a feed that does not notify. */
    private static final Duration POLL = Duration.ofMillis(100);

    private static final Duration RETRY = Duration.ofMillis(500);

    /** How often runs recorded as unreadable are retried: another node may be newer. */
    static final Duration LOOK_AGAIN = Duration.ofMinutes(10);

    private static final int LOOKED_AT_ONCE = 100;
    private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

    private final Projection<R> projection;
    private final JournalFeed<R> feed;
    private final EventCodec codec;
    private final Clock clock;
    private final Thread thread;
    private final Set<RunId> unreadable = ConcurrentHashMap.newKeySet();

    private final Semaphore news = new Semaphore(0);
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile Phase phase = Phase.FOLLOWING;
    private volatile boolean failing;
    private volatile Instant completeAsOf;
    /** Confined to the follower's thread. */
    private Optional<Instant> lookedAgain = Optional.empty();

    private enum Phase {
        FOLLOWING,
        /** Closed; the entries read so far are still being written. */
        DRAINING,
        STOPPED
    }

    /** Creates a follower without starting it. */
    public JournalFollower(Projection<R> projection, JournalFeed<R> feed, EventCodec codec, Clock clock) {
        this.projection = projection;
        this.feed = feed;
        this.codec = codec;
        this.clock = clock;
        this.completeAsOf = clock.instant();
        this.thread = new Thread(this::follow, "vivarium-follow-" + projection.name());
        this.thread.setDaemon(true);
        feed.onNews(this::wake);
    }

    /** Starts the thread. */
    public void start() {
        thread.start();
    }

    /** How stale the rows may be: the time since they last included the whole journal. */
    public Duration lag() {
        Duration lag = Duration.between(completeAsOf, clock.instant());
        return lag.isNegative() ? Duration.ZERO : lag;
    }

    /** How many runs have unreadable entries, as far as this node knows. */
    public int unreadable() {
        return unreadable.size();
    }

    private void follow() {
        try {
            while (true) {
                Phase began = phase;
                Duration pause = roundAndPause();
                if (began == Phase.STOPPED || (began == Phase.DRAINING && !pause.isZero())) {
                    return;
                }
                await(pause);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Catches everything: a follower that ended would leave its rows stale for ever. */
    private Duration roundAndPause() {
        try {
            Duration pause = round() == Rest.MORE ? Duration.ZERO : POLL;
            failing = false;
            return pause;
        } catch (RuntimeException failed) {
            if (!failing) {
                report(failed);
            }
            failing = true;
            return RETRY;
        }
    }

    /** A notification cuts a pause short, but not the one after a failure. */
    private void await(Duration pause) throws InterruptedException {
        if (failing) {
            closing.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } else if (!pause.isZero() && news.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS)) {
            news.drainPermits();
        }
    }

    private void wake() {
        if (news.availablePermits() == 0) {
            news.release();
        }
    }

    private void report(RuntimeException failed) {
        if (failed instanceof StoreUnavailable) {
            log.warn("{} cannot follow the journal for now: {}", projection.name(), failed.getMessage());
        } else {
            log.error("{} cannot follow the journal for now", projection.name(), failed);
        }
    }

    /** One step. */
    Rest round() {
        Instant now = clock.instant();
        if (lookedAgain.isEmpty() || lookedAgain.get().plus(LOOK_AGAIN).isBefore(now)) {
            feed.prepare();
            lookAgain();
            lookedAgain = Optional.of(now);
        }
        Batch<R> batch = feed.next();
        if (apply(batch) == Written.OVERTAKEN) {
            return Rest.NOTHING_YET;
        }
        batch.completeAsOf().ifPresent(at -> completeAsOf = at);
        return batch.rest();
    }

    private void lookAgain() {
        Set<RunId> onRecord = feed.unreadable();
        unreadable.retainAll(onRecord);
        unreadable.addAll(onRecord);
        List<RunId> runs = new ArrayList<>(onRecord);
        for (int from = 0; from < runs.size(); from += LOOKED_AT_ONCE) {
            apply(feed.look(runs.subList(from, Math.min(runs.size(), from + LOOKED_AT_ONCE))));
        }
    }

    private Written apply(Batch<R> batch) {
        List<Step<R>> steps = steps(batch.changes());
        Set<RunId> readableAgain = new HashSet<>();
        for (Step<R> step : steps) {
            if (!(step instanceof Step.Unreadable) && unreadable.contains(step.run())) {
                readableAgain.add(step.run());
            }
        }
        Written written = batch.write(steps, readableAgain);
        if (written == Written.DONE) {
            unreadable.removeAll(readableAgain);
            steps.forEach(this::record);
        }
        return written;
    }

    private void record(Step<R> step) {
        if (step instanceof Step.Unreadable<R> stuck && unreadable.add(stuck.run())) {
            log.error(
                    "{} stops before entry {} of run {}, which cannot be read: {}",
                    projection.name(),
                    stuck.seq(),
                    stuck.run(),
                    stuck.reason());
        }
    }

    /** All steps; runs whose entries must be read from the journal are read concurrently. */
    private List<Step<R>> steps(List<Change<R>> changes) {
        Map<RunId, CompletionStage<List<StoredEntry>>> reads = new LinkedHashMap<>();
        List<Step<R>> steps = new ArrayList<>();
        for (Change<R> change : changes) {
            Step<R> step = Step.of(projection, codec, change);
            if (step instanceof Step.Behind<R> behind) {
                reads.put(behind.run(), feed.entries(behind.run(), behind.fromSeq()));
            }
            steps.add(step);
        }
        steps.replaceAll(step -> step instanceof Step.Behind<R> behind
                ? caughtUp(behind, Objects.requireNonNull(reads.get(behind.run())))
                : step);
        return steps;
    }

    private Step<R> caughtUp(Step.Behind<R> behind, CompletionStage<List<StoredEntry>> read) {
        List<StoredEntry> entries;
        try {
            entries = read.toCompletableFuture().join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof StoreUnavailable away) {
                throw away;
            }
            return unreadable(behind, String.valueOf(failed.getCause()));
        }
        if (entries.isEmpty()) {
            return new Step.Unchanged<>(behind.run(), behind.row());
        }
        Step<R> step = Step.of(projection, codec, new Change<>(behind.run(), behind.row(), entries));
        return step instanceof Step.Behind ? unreadable(behind, "the entries before it are missing") : step;
    }

    private static <R> Step<R> unreadable(Step.Behind<R> behind, String reason) {
        return new Step.Unreadable<>(behind.run(), behind.row(), behind.fromSeq(), reason);
    }

    /** Allows a short time for writing what was read, and stops. */
    @Override
    public void close() {
        phase = Phase.DRAINING;
        closing.countDown();
        wake();
        try {
            thread.join(CLOSE_MAX.toMillis());
            phase = Phase.STOPPED;
            thread.join(CLOSE_MAX.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
