package dev.vivarium.node;

/** Starts nodes in this process. */
public interface NodeLauncher {
    /**
     * Starts a node and returns once its API answers and runs can be submitted. When it throws, nothing is left behind.
     *
     * @throws NodeStartException when the node cannot start here
     */
    RunningNode start(NodeOptions options) throws NodeStartException;
}
