package dev.vivarium.loadtests.subject;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Looks again and again which of the condemned still have a process, with eyes of its own and not those of a subject. */
public final class EndWatch {
    /**
     * What was seen.
     *
     * @param lateness of each one that ended: from its deadline until it was first seen without a process
     * @param atLeast of each one that ended: from its deadline until it was last seen with one. The truth is between the
     *     two; they are far apart when the machine was too busy to look
     * @param alive those that had a process at the end of the watch
     */
    public record Seen(Map<Condemned, Duration> lateness, Map<Condemned, Duration> atLeast, List<Condemned> alive) {}

    private EndWatch() {}

    /**
     * Watches from shortly before the first deadline until all are gone, or until some time after the last one.
     *
     * @param pause between two rounds of looks; each look costs the machine some microseconds
     * @param patience how long after the last deadline
     */
    public static Seen watch(List<Condemned> all, Duration pause, Duration patience) throws InterruptedIOException {
        long first = all.stream().mapToLong(Condemned::deadlineNanos).min().orElseThrow();
        long last = all.stream().mapToLong(Condemned::deadlineNanos).max().orElseThrow();
        long lead = Duration.ofMillis(200).toNanos();
        Pauses.millis(
                Math.max(0, Duration.ofNanos(first - lead - System.nanoTime()).toMillis()));
        Map<Condemned, Duration> lateness = new HashMap<>();
        Map<Condemned, Duration> atLeast = new HashMap<>();
        List<Condemned> alive = new ArrayList<>(all);
        while (!alive.isEmpty() && System.nanoTime() - last < patience.toNanos()) {
            for (Condemned one : List.copyOf(alive)) {
                long before = System.nanoTime();
                if (one.isGone()) {
                    lateness.put(one, Duration.ofNanos(System.nanoTime() - one.deadlineNanos()));
                    alive.remove(one);
                } else {
                    atLeast.put(one, Duration.ofNanos(before - one.deadlineNanos()));
                }
            }
            Pauses.millis(pause.toMillis());
        }
        atLeast.keySet().retainAll(lateness.keySet());
        return new Seen(lateness, atLeast, List.copyOf(alive));
    }
}
