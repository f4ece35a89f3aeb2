package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;

/** Starts single nodes, each with its own store below its data directory. */
public final class LocalNodeLauncher implements NodeLauncher {
    @Override
    public RunningNode start(NodeOptions options) throws NodeStartException {
        return LocalNode.start(options);
    }
}
