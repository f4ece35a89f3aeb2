package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
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
 * @param driver what makes the nodes' sandboxes
 * @param sandboxes the sandboxes that were seen from outside of the nodes
 * @param losses when nodes could not look after their sandboxes
 * @param outages when something shared was down
 * @param marks faults and other remarks, for the timeline
 * @param left what remains of this installation's sandboxes at the end
 * @param stuck what did not recover by itself, as sentences
 * @param bounds the promised bounds
 */
public record Trial(
        Map<String, Task> tasks,
        List<Exchange> exchanges,
        Map<String, Journal> journals,
        Driver driver,
        List<SandboxLife> sandboxes,
        List<NodeLoss> losses,
        List<Outage> outages,
        List<Mark> marks,
        List<String> left,
        List<String> stuck,
        Bounds bounds) {
    /**
     * A time without the store or the container engine.
     *
     * @param kind the fault, STORE or ENGINE
     * @param from when it was killed
     * @param until when it was started again
     */
    public record Outage(Fault.Kind kind, Instant from, Instant until) {}

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
        outages = List.copyOf(outages);
        marks = List.copyOf(marks);
        left = List.copyOf(left);
        stuck = List.copyOf(stuck);
    }
}
