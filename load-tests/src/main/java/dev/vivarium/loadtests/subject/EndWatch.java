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
     * @param alive those that had a process at the end of the watch
     * @param longestGap the longest time between two looks at the same one: no lateness is more than this too long
     */
    public record Seen(Map<Condemned, Duration> lateness, List<Condemned> alive, Duration longestGap) {}

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
        List<Condemned> alive = new ArrayList<>(all);
        long gap = 0;
        long before = System.nanoTime();
        while (!alive.isEmpty() && System.nanoTime() - last < patience.toNanos()) {
            for (Condemned one : List.copyOf(alive)) {
                if (one.isGone()) {
                    lateness.put(one, Duration.ofNanos(System.nanoTime() - one.deadlineNanos()));
                    alive.remove(one);
                }
            }
            Pauses.millis(pause.toMillis());
            long now = System.nanoTime();
            gap = Math.max(gap, now - before);
            before = now;
        }
        return new Seen(lateness, List.copyOf(alive), Duration.ofNanos(gap));
    }
}
