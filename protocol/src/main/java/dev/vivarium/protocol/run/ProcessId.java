package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Names one process among those that a node starts in the sandbox of an attempt, from the channel to the store and the
 * API. The node numbers them from 1, in the order in which it starts them, and uses no number twice in an attempt.
 *
 * @param value the number
 */
public record ProcessId(@JsonValue int value) {
    /** The run's own command: the attempt ends with it. */
    public static final ProcessId COMMAND = new ProcessId(1);

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public ProcessId {
        if (value < 1) {
            throw new IllegalArgumentException("Processes are numbered from 1.");
        }
    }

    @Override
    public String toString() {
        return Integer.toString(value);
    }
}
