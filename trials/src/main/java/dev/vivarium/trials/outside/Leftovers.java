package dev.vivarium.trials.outside;

import java.util.OptionalInt;

/**
 * Sandboxes and processes left after all runs had ended, counted from outside the node.
 *
 * @param sandboxes containers with the installation's label, by the engine's own list, and sandboxes made without it of which
 *     a folder or a control group is left
 * @param processes processes in the control groups of all sandboxes so far; empty if the engine is on another machine,
 *     where they cannot be counted
 */
public record Leftovers(int sandboxes, OptionalInt processes) {
    public boolean isNothing() {
        return sandboxes == 0 && processes.orElse(0) == 0;
    }

    /** As a sentence. */
    public String words() {
        return "sandboxes left: " + sandboxes + ", processes left: "
                + (processes.isPresent() ? processes.getAsInt() : "not counted (the engine is on another machine)");
    }
}
