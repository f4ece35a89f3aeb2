package dev.vivarium.protocol.api;

import java.util.List;

/**
 * The nodes of a cluster.
 *
 * @param nodes by their names
 */
public record NodeList(List<NodeView> nodes) {
    public NodeList {
        nodes = List.copyOf(nodes);
    }
}
