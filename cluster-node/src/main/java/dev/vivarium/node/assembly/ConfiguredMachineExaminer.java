package dev.vivarium.node.assembly;

import com.typesafe.config.ConfigException;
import dev.vivarium.node.MachineExaminer;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.machine.MachineReport;

/** Examines the machine for a node with a configuration. */
public final class ConfiguredMachineExaminer implements MachineExaminer {
    @Override
    public MachineReport examine(NodeOptions options) throws NodeStartException {
        try {
            return MachineReport.of(
                    NodeConfig.of(options.config(), options.overrides()).all(),
                    options.dataDir(),
                    options.host(),
                    options.port());
        } catch (ConfigException | IllegalArgumentException invalid) {
            throw new NodeStartException("The configuration is invalid: " + invalid.getMessage(), invalid);
        }
    }
}
