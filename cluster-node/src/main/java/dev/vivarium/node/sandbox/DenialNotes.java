package dev.vivarium.node.sandbox;

import dev.vivarium.node.network.EgressUse;
import java.time.Duration;

/**
 * When to report that an agent was denied something: the first time immediately, then at doubling intervals, so that an
 * agent that tries for hours adds a few entries to its history rather than thousands.
 *
 * @param reported the number of denials reported so far
 * @param interval the wait before the next report
 * @param notBeforeMillis the end of that wait, since the agent's start
 */
record DenialNotes(long reported, Duration interval, long notBeforeMillis) {
    private static final DenialNotes NONE = new DenialNotes(0, Duration.ofSeconds(1), 0);
    private static final Duration INTERVAL_MAX = Duration.ofMinutes(5);

    static DenialNotes none() {
        return NONE;
    }

    /** Whether to report now. */
    boolean isDue(EgressUse use, long nowMillis) {
        return use.denied() > reported && nowMillis >= notBeforeMillis;
    }

    /** Whether unreported denials are left at the end. */
    boolean isLeft(EgressUse use) {
        return use.denied() > reported;
    }

    DenialNotes afterReport(EgressUse use, long nowMillis) {
        Duration twice = interval.multipliedBy(2);
        return new DenialNotes(
                use.denied(),
                twice.compareTo(INTERVAL_MAX) > 0 ? INTERVAL_MAX : twice,
                nowMillis + interval.toMillis());
    }
}
