package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoredEntry;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The runs that have, or may have, new entries, as far as this node knows, with the entries if it wrote them itself.
 * Bounded in runs and bytes; what does not fit is left to the journal and the sweep. Thread-safe.
 */
final class ChangedRuns {
    private static final Logger log = LoggerFactory.getLogger(ChangedRuns.class);

    /** The most runs that wait; further ones are left to the sweep, with a log line. */
    private static final int WAITING_MAX = 200_000;

    /** Bounds the entries in memory; a run's entries beyond it are read from the journal. */
    static final long BYTES_MAX = 32L * 1024 * 1024;

    private static final long LOOK_MILLIS = 200;

    private final Clock clock;
    /** Oldest first. Guarded by this object's lock, like all following fields. */
    private final Map<RunId, Changed> urgent = new LinkedHashMap<>();

    private final Set<RunId> later = new LinkedHashSet<>();
    /** Taken and not done yet. */
    private final Map<RunId, Changed> inHand = new LinkedHashMap<>();

    private long bytes;
    private Runnable wake = () -> {};

    ChangedRuns(Clock clock) {
        this.clock = clock;
    }

    /** How soon a change should be visible. */
    enum Lane {
        URGENT,
        LATER
    }

    /**
     * A run that has changed.
     *
     * @param since when its oldest change became known
     * @param entries the new entries without gaps; none when they must be read from the journal
     */
    record Changed(RunId run, Lane lane, Instant since, List<StoredEntry> entries) {
        /** Merges two changes in this order; if their entries do not join, they must be read from the journal. */
        Changed and(Changed next) {
            boolean join = !entries.isEmpty()
                    && !next.entries.isEmpty()
                    && next.entries.get(0).seq()
                            == entries.get(entries.size() - 1).seq() + 1;
            List<StoredEntry> both = new ArrayList<>();
            if (join) {
                both.addAll(entries);
                both.addAll(next.entries);
            }
            return new Changed(run, lane, since.isBefore(next.since) ? since : next.since, both);
        }

        long bytes() {
            return entries.stream()
                    .mapToLong(stored -> stored.entry().payload().length())
                    .sum();
        }
    }

    /** Some changed runs, and when the oldest of the remaining urgent ones became known. */
    record Taken(List<Changed> runs, Optional<Instant> oldestLeft) {}

    synchronized void onNews(Runnable call) {
        wake = call;
    }

    /** This node has committed entries of a run. */
    void committed(RunId run, long firstSeq, List<JournalEntry> entries) {
        List<StoredEntry> stored = new ArrayList<>();
        for (JournalEntry entry : entries) {
            stored.add(new StoredEntry(firstSeq + stored.size(), entry));
        }
        add(new Changed(run, Lane.URGENT, clock.instant(), stored));
    }

    /** A run may have a new entry, which must be read from the journal. */
    void unsettled(RunId run) {
        add(new Changed(run, Lane.URGENT, clock.instant(), List.of()));
    }

    /** A run was recovered from the journal, possibly by a new owner, or must be checked again for another reason. */
    void recovered(RunId run) {
        add(new Changed(run, Lane.LATER, clock.instant(), List.of()));
    }

    private void add(Changed changed) {
        Runnable call;
        synchronized (this) {
            if (urgent.size() + later.size() >= WAITING_MAX) {
                log.warn(
                        "The list of runs is {} runs behind: run {} is left to the next sweep.",
                        WAITING_MAX,
                        changed.run());
                return;
            }
            if (changed.lane() == Lane.LATER) {
                later.add(changed.run());
            } else {
                put(changed.run(), merged(Optional.ofNullable(urgent.get(changed.run())), Optional.of(changed)));
            }
            call = wake;
        }
        call.run();
    }

    /** At least one of them is present. */
    private static Changed merged(Optional<Changed> before, Optional<Changed> after) {
        return before.map(first -> after.map(first::and).orElse(first)).orElseGet(after::orElseThrow);
    }

    private void put(RunId run, Changed changed) {
        Changed old = urgent.get(run);
        long without = bytes - (old == null ? 0 : old.bytes());
        boolean fits = without + changed.bytes() <= BYTES_MAX;
        Changed kept = fits ? changed : new Changed(run, Lane.URGENT, changed.since(), List.of());
        urgent.put(run, kept);
        bytes = without + kept.bytes();
    }

    /**
     * Takes the oldest ones, for the follower. Runs taken before and not {@linkplain #done done} wait again, before all
     * others and with the changes since.
     */
    synchronized Taken take(int urgentMax, int laterMax) {
        putBack();
        Iterator<Changed> waiting = urgent.values().iterator();
        while (inHand.size() < urgentMax && waiting.hasNext()) {
            Changed changed = waiting.next();
            waiting.remove();
            bytes -= changed.bytes();
            inHand.put(changed.run(), changed);
        }
        Iterator<RunId> unhurried = later.iterator();
        for (int count = 0; count < laterMax && unhurried.hasNext(); count++) {
            RunId run = unhurried.next();
            unhurried.remove();
            inHand.putIfAbsent(run, new Changed(run, Lane.LATER, clock.instant(), List.of()));
        }
        return new Taken(
                List.copyOf(inHand.values()),
                urgent.values().stream().map(Changed::since).findFirst());
    }

    private void putBack() {
        Map<RunId, Changed> since = new LinkedHashMap<>(urgent);
        urgent.clear();
        bytes = 0;
        for (Changed undone : inHand.values()) {
            if (undone.lane() == Lane.LATER) {
                later.add(undone.run());
            } else {
                put(undone.run(), merged(Optional.of(undone), Optional.ofNullable(since.remove(undone.run()))));
            }
        }
        inHand.clear();
        since.forEach(this::put);
    }

    /** The rows of these runs are written. */
    synchronized void done(Collection<RunId> runs) {
        inHand.keySet().removeAll(runs);
        notifyAll();
    }

    synchronized boolean isEmpty() {
        return urgent.isEmpty() && later.isEmpty();
    }

    synchronized long bytes() {
        return bytes;
    }

    /**
     * Waits until at most that many non-urgent runs are waiting.
     *
     * @param goOn whether to keep waiting
     */
    synchronized void awaitAtMost(int waitingMax, BooleanSupplier goOn) throws InterruptedException {
        while (unhurried() > waitingMax && goOn.getAsBoolean()) {
            wait(LOOK_MILLIS);
        }
    }

    private long unhurried() {
        return later.size()
                + inHand.values().stream()
                        .filter(changed -> changed.lane() == Lane.LATER)
                        .count();
    }
}
