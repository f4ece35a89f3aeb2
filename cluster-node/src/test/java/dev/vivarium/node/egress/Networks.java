package dev.vivarium.node.egress;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.driver.SandboxNetwork;

/** What tests want to know of a network that nobody else should. */
public final class Networks {
    private Networks() {}

    /** As shipped. */
    public static EgressSettings settings() {
        return EgressSettings.from(ConfigFactory.load().getConfig("vivarium.egress"));
    }

    public static String tableOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().table();
    }

    public static String linksOf(SandboxNetwork network) {
        return ((EgressNetwork) network).mark().links();
    }
}
