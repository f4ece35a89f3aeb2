package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.EgressNetwork;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.node.network.gateway.EgressPoint;
import dev.vivarium.node.network.resolver.ResolverSettings;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The networks of a node's sandboxes, with their resolver and gateway: all are available, or none. */
final class NodeNetwork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeNetwork.class);

    private final SandboxNetwork sandboxes;
    private final AutoCloseable point;

    private NodeNetwork(SandboxNetwork sandboxes, AutoCloseable point) {
        this.sandboxes = sandboxes;
        this.point = point;
    }

    /** Opens them; if that is not possible, returns networks that refuse every sandbox with the reason. */
    static NodeNetwork open(String installation, String node, Config egress) {
        EgressSettings settings = EgressSettings.from(egress);
        try {
            requireResolver(egress.getConfig("names"));
            EgressNetwork network = EgressNetwork.open(installation, node, settings);
            try {
                return new NodeNetwork(
                        network,
                        EgressPoint.start(egress, settings.blocked(), network.address(), network, network.ledger()));
            } catch (IOException deaf) {
                network.close();
                throw deaf;
            }
        } catch (IOException impossible) {
            String why = "This node cannot give sandboxes a network: " + reason(impossible)
                    + " Use egress mode none, or have the operator fix it and restart the node.";
            LOG.warn("{}", why);
            return new NodeNetwork(SandboxNetwork.none(why), () -> {});
        }
    }

    /** As a sentence. The message of a file that cannot be read is only its path. */
    static String reason(IOException impossible) {
        String message = Optional.ofNullable(impossible.getMessage()).orElse(impossible.toString());
        if (impossible instanceof NoSuchFileException missing) {
            message = missing.getFile() + " is not there: the kernel lacks that feature, or hides it from this node";
        } else if (impossible instanceof AccessDeniedException denied) {
            message = denied.getFile() + " is closed to this node's account: start the node as root";
        } else if (message.startsWith("Cannot run program") && message.contains("error=2,")) {
            message = "a program is missing (" + message + "): install iproute2, nftables and iptables";
        }
        return message.endsWith(".") ? message : message + ".";
    }

    /** A machine without a resolver can still be a node for sandboxes without a network. */
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
            LOG.warn("The resolver and gateway of sandboxes did not stop cleanly: {}", failed.getMessage());
        }
        sandboxes.close();
    }
}
