package dev.vivarium.node.cli.trial;

import java.util.OptionalInt;

/**
 * What was still there when all runs had ended, counted from outside the node.
 *
 * @param sandboxes containers with the installation's label, by the engine's own list
 * @param processes processes in the control groups of all sandboxes that there have been; empty when the engine is on
 *     another machine, where nobody here can count
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
