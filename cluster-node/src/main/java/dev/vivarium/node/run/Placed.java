package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.run.RunId;

/** The answer to the single query to placement: where to create a run with the given needs. */
public sealed interface Placed {
    /** The id with which the run is created there. */
    RunId id();

    /** Whether another submission may use the same run id. */
    enum Name {
        /** Never: the id was generated for this submission. */
        OWN,
        /** Retries may, on any node. */
        CLAIMED
    }

    /**
     * A place with room, according to the latest loads.
     *
     * @param name whose the id is
     * @param needs what the run needs
     * @param whenFull what to do if there is no free slot after all
     */
    record Room(RunId id, Name name, Capacity needs, WhenFull whenFull) implements Placed {
        /** The same place, where the run waits if necessary and possible. */
        public Room queueing() {
            return new Room(id, name, needs, WhenFull.QUEUE);
        }

        /** The same place under an id that retries may use, too. */
        public Room claimed() {
            return new Room(id, Name.CLAIMED, needs, whenFull);
        }
    }

    /** No place, with the reason. */
    record Refused(RunId id, SubmitAnswer answer) implements Placed {}
}
