package dev.vivarium.loadtests.report;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Lateness after a deadline by group, and how many of each group outlived it altogether. */
public final class Punctuality {
    private final Map<String, Group> groups = new LinkedHashMap<>();

    private static final class Group {
        private final List<Duration> lateness = new ArrayList<>();
        private final List<Duration> atLeast = new ArrayList<>();
        private int alive;
    }

    /**
     * Records an end.
     *
     * @param lateness when it was first seen ended
     * @param atLeast when it was last seen alive
     */
    public void ended(String group, Duration lateness, Duration atLeast) {
        group(group).lateness.add(lateness);
        group(group).atLeast.add(atLeast);
    }

    public void alive(String group) {
        group(group).alive++;
    }

    private Group group(String name) {
        return groups.computeIfAbsent(name, first -> new Group());
    }

    /** A row for each group, in order of first use. */
    public String table() {
        TextTable table =
                new TextTable("late, ms", "ended", "p50", "p99", "max", "p50 at least", "p99 at least", "still alive");
        groups.forEach((name, group) -> {
            String ended = Integer.toString(group.lateness.size());
            String alive = Integer.toString(group.alive);
            if (group.lateness.isEmpty()) {
                table.row(name, ended, "-", "-", "-", "-", "-", alive);
            } else {
                Series late = new Series(group.lateness);
                Series atLeast = new Series(group.atLeast);
                table.row(
                        name,
                        ended,
                        Figures.millis(late.percentile(50)),
                        Figures.millis(late.percentile(99)),
                        Figures.millis(late.max()),
                        Figures.millis(atLeast.percentile(50)),
                        Figures.millis(atLeast.percentile(99)),
                        alive);
            }
        });
        return table.render();
    }
}
