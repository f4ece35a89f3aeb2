package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;

/** Starts nodes that form a cluster of one, with a store of their own below their data directory. */
public final class LocalNodeLauncher implements NodeLauncher {
    @Override
    public RunningNode start(NodeOptions options) throws NodeStartException {
        return LocalNode.start(options);
    }
}
