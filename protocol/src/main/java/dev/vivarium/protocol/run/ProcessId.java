package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Identifies one of the processes that a node starts in an attempt's sandbox, from the channel to the store and the
 * API. The node numbers them from 1 in starting order and never reuses a number within an attempt.
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
