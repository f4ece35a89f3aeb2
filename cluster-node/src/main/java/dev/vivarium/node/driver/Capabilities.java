package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.Isolation;
import java.util.Set;

/**
 * What a driver can give now.
 *
 * @param isolations the isolation classes of its sandboxes; empty while the engine has not said yet
 * @param processes where the processes of its sandboxes are
 */
public record Capabilities(Set<Isolation> isolations, Processes processes) {
    public Capabilities {
        isolations = Set.copyOf(isolations);
    }

    /** Where the processes of sandboxes are. */
    public enum Processes {
        /** The kernel of this machine runs them: it can give them a network, count what they use, and kill them. */
        ON_THIS_MACHINE,
        /** On another machine, or nowhere. */
        ELSEWHERE
    }
}
