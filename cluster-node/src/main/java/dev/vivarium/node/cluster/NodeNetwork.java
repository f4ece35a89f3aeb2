package dev.vivarium.node.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.driver.SandboxNetwork;
import dev.vivarium.node.egress.EgressNetwork;
import dev.vivarium.node.egress.EgressSettings;
import dev.vivarium.node.egress.names.Names;
import dev.vivarium.node.egress.names.NamesSettings;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The networks of a node's sandboxes and the resolver that goes with them: both are there, or neither. */
final class NodeNetwork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeNetwork.class);

    private final SandboxNetwork sandboxes;
    private final AutoCloseable resolver;

    private NodeNetwork(SandboxNetwork sandboxes, AutoCloseable resolver) {
        this.sandboxes = sandboxes;
        this.resolver = resolver;
    }

    /** Opens them; where that is not possible, what gives no sandbox a network and says why. */
    static NodeNetwork open(String installation, String node, Config egress) {
        EgressSettings settings = EgressSettings.from(egress);
        try {
            NamesSettings names = names(egress.getConfig("names"));
            EgressNetwork network = EgressNetwork.open(installation, node, settings);
            try {
                return new NodeNetwork(
                        network, Names.start(names, network.address(), settings.blocked(), network, network.ledger()));
            } catch (IOException deaf) {
                network.close();
                throw deaf;
            }
        } catch (IOException impossible) {
            String why = "This node cannot give sandboxes a network: " + impossible.getMessage()
                    + " Ask for egress mode none, or have the operator mend it and restart the node.";
            LOG.warn("{}", why);
            return new NodeNetwork(SandboxNetwork.none(why), () -> {});
        }
    }

    /** A machine that has no resolver itself can still be a node, of sandboxes without a network. */
    private static NamesSettings names(Config names) throws IOException {
        try {
            return NamesSettings.from(names);
        } catch (ConfigException wrong) {
            if (names.getStringList("upstream").isEmpty()) {
                throw new IOException(wrong.getMessage() + ".", wrong);
            }
            throw wrong;
        }
    }

    SandboxNetwork sandboxes() {
        return sandboxes;
    }

    @Override
    public void close() {
        try {
            resolver.close();
        } catch (Exception failed) {
            LOG.warn("The resolver of sandboxes did not stop in order: {}", failed.getMessage());
        }
        sandboxes.close();
    }
}
