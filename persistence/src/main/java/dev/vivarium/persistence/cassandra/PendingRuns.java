package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.audit.AuditTables;
import dev.vivarium.persistence.cassandra.RunIndexTables.Place;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The runs that may have events without a position, as the sequencer's node knows them. Cassandra has no order over all
 * entries to read on in, so the nodes tell which runs they have written to, and what was told to a node that died is
 * found in {@code audit_pending}: the sequencer goes through it when it begins, and then each minute. Runs from before
 * that table existed are gone through once, oldest first.
 *
 * <p>Thread-safe as far as {@link #add}; the rest belongs to the sequencer's thread.
 */
final class PendingRuns {
    private static final Duration SWEEP = Duration.ofMinutes(1);

    /** More is left to the sweep. */
    private static final int WAITING_MAX = 200_000;

    /** The name under which it is recorded that all runs from before have been gone through. */
    private static final String EARLIER_RUNS = "audit";

    private final RunIndexTables tables;
    private final Clock clock;
    private final Set<RunId> waiting = new LinkedHashSet<>();
    private final Map<RunId, Place> announced = new HashMap<>();
    private final Deque<Long> buckets = new ArrayDeque<>();
    private final Deque<Long> earlier = new ArrayDeque<>();
    private Earlier earlierRuns = Earlier.UNKNOWN;
    private Optional<Instant> swept = Optional.empty();

    private enum Earlier {
        UNKNOWN,
        WALKING,
        DONE
    }

    PendingRuns(RunIndexTables tables, Clock clock) {
        this.tables = tables;
        this.clock = clock;
    }

    /** Begins anew, by a sweep. */
    void restart() {
        swept = Optional.empty();
        earlierRuns = Earlier.UNKNOWN;
        buckets.clear();
        earlier.clear();
    }

    void add(Collection<RunId> runs) {
        synchronized (waiting) {
            for (RunId run : runs) {
                if (waiting.size() >= WAITING_MAX) {
                    return;
                }
                waiting.add(run);
            }
        }
    }

    /** Takes some of the runs; when none wait, looks for forgotten ones first if that is due. */
    List<RunId> take(int max) {
        List<RunId> taken = takeWaiting(max);
        return taken.isEmpty() && sweep() ? takeWaiting(max) : taken;
    }

    private List<RunId> takeWaiting(int max) {
        synchronized (waiting) {
            List<RunId> taken = new ArrayList<>();
            Iterator<RunId> each = waiting.iterator();
            while (taken.size() < max && each.hasNext()) {
                taken.add(each.next());
                each.remove();
            }
            return taken;
        }
    }

    /** What remains. */
    AuditTables.Rest rest() {
        synchronized (waiting) {
            return waiting.isEmpty() && buckets.isEmpty() && earlier.isEmpty()
                    ? AuditTables.Rest.NOTHING_YET
                    : AuditTables.Rest.MORE;
        }
    }

    /** Where a run was announced, if a sweep has seen it. */
    Optional<Place> announced(RunId run) {
        return Optional.ofNullable(announced.get(run));
    }

    void forget(RunId run) {
        announced.remove(run);
    }

    /** One hour of runs; whether there was one. */
    private boolean sweep() {
        if (buckets.isEmpty() && earlier.isEmpty()) {
            begin();
        }
        Long bucket = buckets.poll();
        if (bucket != null) {
            List<Place> places = new ArrayList<>(Cassandra.await(tables.pending(bucket)));
            places.sort(java.util.Comparator.reverseOrder());
            places.forEach(place -> announced.put(new RunId(place.run()), place));
            add(places.stream().map(place -> new RunId(place.run())).toList());
            return true;
        }
        Long old = earlier.poll();
        if (old != null) {
            List<RunId> runs = new ArrayList<>(Cassandra.await(tables.allRuns(old)));
            java.util.Collections.reverse(runs);
            add(runs);
            return true;
        }
        return false;
    }

    private void begin() {
        Instant now = clock.instant();
        if (earlierRuns == Earlier.WALKING) {
            Cassandra.await(tables.walked(EARLIER_RUNS));
            earlierRuns = Earlier.DONE;
        }
        if (swept.isPresent() && swept.get().plus(SWEEP).isAfter(now)) {
            return;
        }
        swept = Optional.of(now);
        announced.clear();
        List<Long> pending =
                new ArrayList<>(Cassandra.await(tables.buckets(RunIndexTables.PENDING, 0, Long.MAX_VALUE)));
        java.util.Collections.reverse(pending);
        buckets.addAll(pending);
        if (earlierRuns == Earlier.UNKNOWN) {
            earlierRuns = Cassandra.await(tables.isWalked(EARLIER_RUNS)) ? Earlier.DONE : Earlier.WALKING;
            if (earlierRuns == Earlier.WALKING) {
                List<Long> all =
                        new ArrayList<>(Cassandra.await(tables.buckets(RunIndexTables.TIME, 0, Long.MAX_VALUE)));
                java.util.Collections.reverse(all);
                earlier.addAll(all);
            }
        }
    }
}
