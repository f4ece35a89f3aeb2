package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.Isolation;
import java.util.Set;

/**
 * What a driver currently supports.
 *
 * @param isolations the isolation classes of its sandboxes; empty until the engine has answered
 * @param waiting those of them whose sandboxes can wait for a claim
 * @param processes where its sandboxes' processes run
 */
public record Capabilities(Set<Isolation> isolations, Set<Isolation> waiting, Processes processes) {
    public Capabilities {
        isolations = Set.copyOf(isolations);
        waiting = Set.copyOf(waiting);
    }

    /** Where sandboxes' processes run. */
    public enum Processes {
        /** On this machine's kernel, so that the node can give them a network, measure them and kill them. */
        ON_THIS_MACHINE,
        /** On another machine, or nowhere. */
        ELSEWHERE
    }
}
