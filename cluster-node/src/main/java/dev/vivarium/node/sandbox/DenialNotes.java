package dev.vivarium.node.sandbox;

import dev.vivarium.node.network.EgressUse;
import java.time.Duration;

/**
 * When it is told that an agent was denied something: at once the first time, then in intervals that double, so that an
 * agent which tries for hours fills some lines of its history and not thousands.
 *
 * @param told how many denials have been told
 * @param interval the time until the next may be told
 * @param notBeforeMillis when that is, since the agent's start
 */
record DenialNotes(long told, Duration interval, long notBeforeMillis) {
    private static final DenialNotes NONE = new DenialNotes(0, Duration.ofSeconds(1), 0);
    private static final Duration INTERVAL_MAX = Duration.ofMinutes(5);

    static DenialNotes none() {
        return NONE;
    }

    /** Whether there is something to tell now. */
    boolean isDue(EgressUse use, long nowMillis) {
        return use.denied() > told && nowMillis >= notBeforeMillis;
    }

    /** Whether there is something to tell at the end. */
    boolean isLeft(EgressUse use) {
        return use.denied() > told;
    }

    DenialNotes toldOf(EgressUse use, long nowMillis) {
        Duration twice = interval.multipliedBy(2);
        return new DenialNotes(
                use.denied(),
                twice.compareTo(INTERVAL_MAX) > 0 ? INTERVAL_MAX : twice,
                nowMillis + interval.toMillis());
    }
}
