package dev.vivarium.node.network;

import static org.assertj.core.api.Assumptions.assumeThat;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;

/** What tests want to know of a network that nobody else should. */
public final class Networks {
    private Networks() {}

    /** With the settings as shipped. */
    public static SandboxNetwork open(String installation, String node) {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        try {
            return EgressNetwork.open(
                    installation, node, EgressSettings.from(ConfigFactory.load().getConfig("vivarium.egress")));
        } catch (IOException impossible) {
            throw new AssertionError("These tests need to be root, and nftables and iproute2.", impossible);
        }
    }

    public static String tableOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().table();
    }

    public static String linksOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().links();
    }
}
