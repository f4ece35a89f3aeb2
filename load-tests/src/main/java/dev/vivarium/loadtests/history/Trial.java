package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What was seen of a cluster while it was broken, from all sides, by one clock.
 *
 * @param tasks what clients wanted, by key
 * @param heard what they were told
 * @param journals what was kept, by run
 * @param sandboxes what the engine ran
 * @param losses when nodes could not care for their sandboxes
 * @param marks what was done to the cluster, and what else there is to say, for the timeline
 * @param left containers of this installation that there still are at the end
 * @param stuck what did not recover by itself, in sentences
 * @param bounds what is promised in figures
 */
public record Trial(
        Map<String, Task> tasks,
        List<Heard> heard,
        Map<String, Journal> journals,
        List<SandboxLife> sandboxes,
        List<NodeLoss> losses,
        List<Mark> marks,
        List<String> left,
        List<String> stuck,
        Bounds bounds) {
    /** Something that happened at a time. */
    public record Mark(Instant at, String text) {}

    /**
     * What is promised in figures.
     *
     * @param orphan how long a sandbox may outlive the end of its owner
     * @param lease how long a node's sandboxes may go on when it is out of touch
     */
    public record Bounds(Duration orphan, Duration lease) {}

    public Trial {
        tasks = Map.copyOf(tasks);
        heard = List.copyOf(heard);
        journals = Map.copyOf(journals);
        sandboxes = List.copyOf(sandboxes);
        losses = List.copyOf(losses);
        marks = List.copyOf(marks);
        left = List.copyOf(left);
        stuck = List.copyOf(stuck);
    }
}
