package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.run.RunId;

/** The answer to the single query to placement: where to create a run with the given needs. */
public sealed interface Placed {
    /** The id with which the run is created there. */
    RunId id();

    /**
     * A place with room, according to the latest loads.
     *
     * @param needs what the run needs
     * @param whenFull what to do if there is no free slot after all
     */
    record Room(RunId id, Capacity needs, WhenFull whenFull) implements Placed {
        /** The same place, where the run waits if necessary and possible. */
        public Room queueing() {
            return new Room(id, needs, WhenFull.QUEUE);
        }
    }

    /** No place, with the reason. */
    record Refused(RunId id, SubmitAnswer answer) implements Placed {}
}
