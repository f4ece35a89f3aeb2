package dev.vivarium.node.network;

import static org.assertj.core.api.Assumptions.assumeThat;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.util.function.Predicate;

/** Internals of a network, for tests only. */
public final class Networks {
    private Networks() {}

    /** With the settings as shipped. */
    public static SandboxNetwork open(String installation, String node) {
        requireRoot();
        try {
            return EgressNetwork.open(
                    installation, node, EgressSettings.from(ConfigFactory.load().getConfig("vivarium.egress")));
        } catch (IOException impossible) {
            throw new AssertionError("These tests need to be root, and nftables and iproute2.", impossible);
        }
    }

    static void requireRoot() {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
    }

    /** What is blocked everywhere, on a machine that has these addresses. */
    public static BlockedAddresses blocked(Predicate<InetAddress> own) {
        return new BlockedAddresses(BlockedRanges.standard(), own);
    }

    public static String tableOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().table();
    }

    public static String linksOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().links();
    }
}
