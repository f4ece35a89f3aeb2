package dev.vivarium.node;

import dev.vivarium.node.machine.MachineReport;

/** Looks at the machine that a node runs, or would run, on. */
public interface MachineExaminer {
    /**
     * Looks without changing anything and without a node. Blocks, for some seconds when an engine or a store is silent.
     *
     * @param options what the node is, or would be, started with
     * @throws NodeStartException when the configuration cannot be read
     */
    MachineReport examine(NodeOptions options) throws NodeStartException;
}
