package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.run.RunId;

/** The answer to the one question that placement is asked: where a run with its needs would be taken. */
public sealed interface Placed {
    /** The name by which the run is born there. */
    RunId id();

    /**
     * Where there is room, as of a moment ago.
     *
     * @param needs what was asked for
     * @param whenFull what the run does should there be none after all
     */
    record Room(RunId id, Capacity needs, WhenFull whenFull) implements Placed {
        /** The same, but it waits there if it must and may. */
        public Room queueing() {
            return new Room(id, needs, WhenFull.QUEUE);
        }
    }

    /** Nowhere, and why. */
    record Refused(RunId id, SubmitAnswer answer) implements Placed {}
}
