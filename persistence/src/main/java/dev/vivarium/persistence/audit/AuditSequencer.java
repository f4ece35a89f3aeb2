package dev.vivarium.persistence.audit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.audit.AuditTables.Item;
import dev.vivarium.persistence.audit.AuditTables.News;
import dev.vivarium.persistence.audit.AuditTables.Rest;
import dev.vivarium.persistence.audit.AuditTables.Seat;
import dev.vivarium.persistence.audit.AuditTables.Written;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives every event of the journal a position, in one order over all runs. A cluster has one sequencer; the store, and not
 * the cluster, makes sure of it: each begins by raising the epoch, and a batch is written only under the epoch that is
 * still the last. A sequencer that was frozen while another took over therefore writes nothing when it wakes. It reads
 * the journal after the fact, so the journal never waits for it.
 *
 * <p>One thread, which owns what is cached of runs and totals; after any failure it begins again with nothing but the
 * store, under a new epoch.
 */
public final class AuditSequencer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AuditSequencer.class);

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration RETRY = Duration.ofSeconds(1);
    /** Another sequencer works: this node is about to learn that it is not the one, or the other is. */
    private static final Duration AFTER_FENCE = Duration.ofSeconds(5);

    private static final Duration BEAT = Duration.ofSeconds(1);
    private static final Duration CLOSE_MAX = Duration.ofSeconds(5);
    private static final int CACHED_MAX = 50_000;

    private final AuditTables tables;
    private final LogWriter writer;
    private final Clock clock;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);

    private final Cache<RunId, RunFacts> runs = cache();
    private final Cache<Tally, Long> totals = cache();
    private Optional<Seat> seat = Optional.empty();
    private Optional<Instant> caughtUp = Optional.empty();
    private Instant lastBeat = Instant.MIN;
    private boolean failing;

    AuditSequencer(AuditTables tables, CheckpointGuard guard, Clock clock) {
        this.tables = tables;
        this.writer = new LogWriter(tables, guard);
        this.clock = clock;
        this.thread = new Thread(this::sequence, "vivarium-audit-sequencer");
        this.thread.setDaemon(true);
    }

    private static <K, V> Cache<K, V> cache() {
        return Caffeine.newBuilder()
                .maximumSize(CACHED_MAX)
                .executor(Runnable::run)
                .build();
    }

    void start() {
        thread.start();
    }

    private void sequence() {
        try {
            Duration pause = Duration.ZERO;
            while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                pause = roundAndPause();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Catches everything: without a sequencer no event would get a position any more. */
    private Duration roundAndPause() {
        try {
            Duration pause = round();
            failing = false;
            return pause;
        } catch (RuntimeException failed) {
            if (!failing && failed instanceof StoreUnavailable) {
                log.warn("Events get no positions for now: {}", failed.getMessage());
            } else if (!failing) {
                log.error("Events get no positions for now", failed);
            }
            failing = true;
            // Whether the last batch was written is unknown: the store says it when it is asked under a new epoch.
            leaveSeat();
            return RETRY;
        }
    }

    private void leaveSeat() {
        seat = Optional.empty();
        runs.invalidateAll();
        totals.invalidateAll();
        writer.restart();
    }

    /**
     * One step.
     *
     * @return the pause after it
     */
    Duration round() {
        Seat mine = seat.orElseGet(this::takeOver);
        Instant started = clock.instant();
        News news = tables.next(this::facts);
        AuditBatch batch = batch(mine, news.items());
        if (news.write(mine, batch) == Written.FENCED_OFF) {
            return fencedOff(mine);
        }
        Seat after = mine.after(batch);
        seat = Optional.of(after);
        batch.runs().forEach(run -> runs.put(run.run(), run));
        batch.counts().forEach(count -> totals.put(count.tally(), count.total()));
        if (news.rest() == Rest.NOTHING_YET) {
            caughtUp = Optional.of(started);
        }
        LogWriter.Behind behind = writer.follow(after, batch);
        beat();
        return switch (behind) {
            case FENCED_OFF -> fencedOff(mine);
            case MORE -> Duration.ZERO;
            case NOTHING -> news.rest() == Rest.MORE ? Duration.ZERO : POLL;
        };
    }

    private Duration fencedOff(Seat lost) {
        log.warn("Another sequencer has taken over after epoch {}.", lost.epoch());
        leaveSeat();
        return AFTER_FENCE;
    }

    private Seat takeOver() {
        Seat taken = tables.takeOver();
        log.info("Sequencing the journal from position {}, in epoch {}.", taken.size(), taken.epoch());
        seat = Optional.of(taken);
        return taken;
    }

    private AuditBatch batch(Seat mine, Collection<Item> items) {
        Set<RunId> touched = new HashSet<>();
        items.forEach(item -> touched.add(item.run()));
        BatchBuilder builder = new BatchBuilder(mine.size(), clock.instant(), facts(touched));
        items.forEach(builder::add);
        builder.outOfTurn()
                .forEach(item -> log.error(
                        "Event {} of run {} gets a position although events before it are missing from the journal.",
                        item.seq(),
                        item.run()));
        return builder.build(
                known(totals, builder.tallies(), tables::totals),
                items.isEmpty() ? Optional.empty() : tables.block(Block.of(mine.size())));
    }

    private Map<RunId, RunFacts> facts(Set<RunId> wanted) {
        return known(runs, wanted, tables::facts);
    }

    private static <K, V> Map<K, V> known(
            Cache<K, V> cache, Collection<K> wanted, java.util.function.Function<Collection<K>, Map<K, V>> read) {
        Map<K, V> found = new HashMap<>(cache.getAllPresent(wanted));
        Set<K> missing = new HashSet<>(wanted);
        missing.removeAll(found.keySet());
        if (!missing.isEmpty()) {
            found.putAll(read.apply(missing));
        }
        return found;
    }

    private void beat() {
        Instant now = clock.instant();
        if (lastBeat.plus(BEAT).isAfter(now)) {
            return;
        }
        lastBeat = now;
        Duration behind = Duration.between(caughtUp.orElse(now), now);
        seat.ifPresent(mine -> tables.beat(mine, behind.compareTo(POLL.plus(POLL)) < 0 ? Duration.ZERO : behind));
    }

    /** Stops after the step that is under way; waits a short time for it. */
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(CLOSE_MAX.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
