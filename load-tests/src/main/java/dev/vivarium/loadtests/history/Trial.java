package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The observations of a cluster under faults, from all sources, on one clock.
 *
 * @param tasks the clients' tasks, by key
 * @param exchanges the clients' requests and answers
 * @param journals the stored state of each run
 * @param sandboxes the sandboxes that the engine ran
 * @param losses when nodes could not look after their sandboxes
 * @param marks faults and other remarks, for the timeline
 * @param left this installation's containers that remain at the end
 * @param stuck what did not recover by itself, as sentences
 * @param bounds the promised bounds
 */
public record Trial(
        Map<String, Task> tasks,
        List<Exchange> exchanges,
        Map<String, Journal> journals,
        List<SandboxLife> sandboxes,
        List<NodeLoss> losses,
        List<Mark> marks,
        List<String> left,
        List<String> stuck,
        Bounds bounds) {
    /** A remark on the timeline. */
    public record Mark(Instant at, String text) {}

    /**
     * The promised bounds.
     *
     * @param orphan how long a sandbox may outlive the end of its owner
     * @param lease how long a node's sandboxes may continue when it has lost contact
     */
    public record Bounds(Duration orphan, Duration lease) {}

    public Trial {
        tasks = Map.copyOf(tasks);
        exchanges = List.copyOf(exchanges);
        journals = Map.copyOf(journals);
        sandboxes = List.copyOf(sandboxes);
        losses = List.copyOf(losses);
        marks = List.copyOf(marks);
        left = List.copyOf(left);
        stuck = List.copyOf(stuck);
    }
}
