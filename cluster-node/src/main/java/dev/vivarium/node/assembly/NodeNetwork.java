package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.EgressNetwork;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.node.network.gateway.EgressPoint;
import dev.vivarium.node.network.resolver.ResolverSettings;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The networks of a node's sandboxes, and the resolver and gateway that go with them: all are there, or none. */
final class NodeNetwork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeNetwork.class);

    private final SandboxNetwork sandboxes;
    private final AutoCloseable point;

    private NodeNetwork(SandboxNetwork sandboxes, AutoCloseable point) {
        this.sandboxes = sandboxes;
        this.point = point;
    }

    /** Opens them; where that is not possible, what gives no sandbox a network and says why. */
    static NodeNetwork open(String installation, String node, Config egress) {
        EgressSettings settings = EgressSettings.from(egress);
        try {
            requireResolver(egress.getConfig("names"));
            EgressNetwork network = EgressNetwork.open(installation, node, settings);
            try {
                return new NodeNetwork(
                        network, EgressPoint.start(egress, network.address(), network, network.ledger()));
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
    private static void requireResolver(Config names) throws IOException {
        try {
            ResolverSettings.from(names);
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
            point.close();
        } catch (Exception failed) {
            LOG.warn("The resolver and gateway of sandboxes did not stop in order: {}", failed.getMessage());
        }
        sandboxes.close();
    }
}
