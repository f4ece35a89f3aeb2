package dev.vivarium.trials.outside;

import java.util.OptionalInt;

/**
 * Sandboxes and processes left after all runs had ended, counted from outside the node.
 *
 * @param sandboxes containers with the installation's label, by the engine's own list, and sandboxes made without it of which
 *     a folder or a control group is left; not those that wait
 * @param processes processes in the control groups of all sandboxes so far, but of those that wait; empty if the engine is on
 *     another machine, where they cannot be counted
 * @param waiting sandboxes that no run has had: a node keeps some ready as long as it lives
 */
public record Leftovers(int sandboxes, OptionalInt processes, int waiting) {
    /** Whether no run has left anything. */
    public boolean isNothing() {
        return sandboxes == 0 && processes.orElse(0) == 0;
    }

    /** As a sentence. */
    public String words() {
        return "sandboxes left: " + sandboxes + ", processes left: "
                + (processes.isPresent() ? processes.getAsInt() : "not counted (the engine is on another machine)")
                + (waiting == 0 ? "" : ", ready for the next runs: " + waiting);
    }
}
