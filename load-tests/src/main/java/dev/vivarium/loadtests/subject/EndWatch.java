package dev.vivarium.loadtests.subject;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Polls which commands past their deadline still have a process, independently of the subject. */
public final class EndWatch {
    /**
     * The observations.
     *
     * @param lateness of each one that ended: from its deadline until it was first seen without a process
     * @param atLeast of each one that ended: from its deadline until it was last seen with one. The actual lateness is
     *     between the two, which are far apart when the machine was too busy to poll
     * @param alive those that still had a process at the end of the watch
     */
    public record Seen(
            Map<TimedCommand, Duration> lateness, Map<TimedCommand, Duration> atLeast, List<TimedCommand> alive) {}

    private EndWatch() {}

    /**
     * Watches from shortly before the first deadline until all are gone, or until some time after the last one.
     *
     * @param pause between two polls; each costs some microseconds per command
     * @param patience how long after the last deadline
     */
    public static Seen watch(List<TimedCommand> all, Duration pause, Duration patience) throws InterruptedIOException {
        long first = all.stream().mapToLong(TimedCommand::deadlineNanos).min().orElseThrow();
        long last = all.stream().mapToLong(TimedCommand::deadlineNanos).max().orElseThrow();
        long lead = Duration.ofMillis(200).toNanos();
        Pauses.millis(
                Math.max(0, Duration.ofNanos(first - lead - System.nanoTime()).toMillis()));
        Map<TimedCommand, Duration> lateness = new HashMap<>();
        Map<TimedCommand, Duration> atLeast = new HashMap<>();
        List<TimedCommand> alive = new ArrayList<>(all);
        while (!alive.isEmpty() && System.nanoTime() - last < patience.toNanos()) {
            for (TimedCommand one : List.copyOf(alive)) {
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
